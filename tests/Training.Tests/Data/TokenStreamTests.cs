using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Data.Internals;

namespace LatentMoE.Training.Tests.Data;

public class TokenStreamTests
{
    /// <summary>A stream of the given tokens in shards of 100.</summary>
    internal static TokenStream Stream(TextFolder folder, IEnumerable<int> tokens, int width = 2, string name = "t")
    {
        long count;
        using (var writer = new ShardWriter(folder.Path, name, width, tokensPerShard: 100))
        {
            foreach (int[] some in tokens.Chunk(37))
            {
                writer.Write(some);
            }
            writer.Complete();
            count = writer.Count;
        }
        return TokenStream.Open(folder.Path, name, 1, count, "a test");
    }

    [Theory]
    [InlineData(2, 65_535)]
    [InlineData(4, 3_000_000)]
    public void Read_CrossesShards(int width, int largest)
    {
        using var folder = new TextFolder();
        int[] tokens = [.. Enumerable.Range(0, 1_234).Select(i => (int)(i * 7_919L % (largest + 1L))), largest];
        using TokenStream stream = Stream(folder, tokens, width);
        Assert.Equal(13, Directory.GetFiles(folder.Path).Length);
        Assert.Equal(tokens.Length, stream.Count);
        Assert.Equal(tokens, stream.ToArray());
        var random = new Random(4);
        for (int i = 0; i < 200; i++)
        {
            int start = random.Next(tokens.Length), length = random.Next(tokens.Length - start + 1);
            var wide = new long[length];
            var narrow = new int[length];
            stream.Read(start, wide);
            stream.Read(start, narrow);
            Assert.Equal(tokens.Skip(start).Take(length), narrow);
            Assert.Equal(narrow.Select(id => (long)id), wide);
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(300, 1)]
    [InlineData(250, 51)]
    public void Read_OutsideTheStream_IsRefused(long offset, int length)
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder, Enumerable.Range(0, 300));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Read(offset, new long[length]));
    }

    [Fact]
    public void Writer_RefusesATokenThatDoesNotFit()
    {
        using var folder = new TextFolder();
        Assert.Throws<OverflowException>(() => Stream(folder, [.. Enumerable.Range(0, 50), 65_536]));
        Assert.Contains("does not begin", Assert.Throws<CheckpointException>(() => TokenStream.Open(folder.Path, "t", 1, 37, "a test")).Message);
    }

    [Theory]
    [InlineData(0, "begin")]      // magic
    [InlineData(12, "begin")]     // width
    [InlineData(16, "announces")] // count
    [InlineData(40, "checksum")]  // checksum
    [InlineData(64, "checksum")]  // a token
    [InlineData(263, "checksum")] // the last byte of the first shard
    public void Open_FindsAChangedByte(int at, string message)
    {
        using var folder = new TextFolder();
        Stream(folder, Enumerable.Range(0, 150)).Dispose();
        string file = folder["t-00000.tokens"];
        byte[] content = File.ReadAllBytes(file);
        content[at] ^= 4;
        File.WriteAllBytes(file, content);
        var e = Assert.Throws<CheckpointException>(() => TokenStream.Open(folder.Path, "t", 1, 100, "a test"));
        Assert.StartsWith(file, e.Message);
        Assert.Contains(message, e.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(263)]
    public void Open_FindsACutFile(int length)
    {
        using var folder = new TextFolder();
        Stream(folder, Enumerable.Range(0, 100)).Dispose();
        string file = folder["t-00000.tokens"];
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);
        Assert.Throws<CheckpointException>(() => TokenStream.Open(folder.Path, "t", 1, 100, "a test"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void Open_FindsAMissingShard(int shard)
    {
        using var folder = new TextFolder();
        Stream(folder, Enumerable.Range(0, 250)).Dispose();
        File.Delete(folder[$"t-0000{shard}.tokens"]);
        var e = Assert.Throws<CheckpointException>(() => TokenStream.Open(folder.Path, "t", 1, 250, "a test"));
        Assert.Contains($"have {100 * shard} tokens; expected 250", e.Message);
        Assert.Contains(folder.Path, e.Message);
    }
}
