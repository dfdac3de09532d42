using System.Buffers;
using System.Text;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Tests.Text;

public class Utf8StreamTests
{
    public static TheoryData<string, byte[]> Cases => new()
    {
        { "letters", "plain text"u8.ToArray() },
        { "two to four bytes", "é€😀ß"u8.ToArray() },
        { "a family, joined", "👩‍👩‍👧‍👦!"u8.ToArray() },
        { "bytes that are never valid", [0x41, 0xFF, 0xC0, 0x80, 0xFE, 0x42] },
        { "a continuation alone", [0x80, 0xBF, 0x41] },
        { "characters cut short", [0xF0, 0x9F, 0x98, 0x41, 0xE2, 0x82, 0x42, 0xC3] },
        { "surrogates and too large", [0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80, 0x43] },
        { "an unfinished end", [0x41, 0xF0, 0x9F, 0x98] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Append_AtEveryCut_IsTheWholeDecoded(string name, byte[] bytes)
    {
        string expected = Encoding.UTF8.GetString(bytes);
        foreach (int[] cuts in Cuts.All(bytes.Length, atMost: 3))
        {
            string text = Decode(bytes, cuts);
            Assert.True(text == expected, $"{name}, cut at {string.Join(", ", cuts)}: \"{text}\", expected \"{expected}\"");
        }
    }

    [Fact]
    public void Append_RandomBytes_IsTheWholeDecoded()
    {
        var random = new Random(1);
        byte[] alphabet = [0x41, 0x80, 0xBF, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0, 0xF4, 0xFF];
        for (int trial = 0; trial < 500; trial++)
        {
            byte[] bytes = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => alphabet[random.Next(alphabet.Length)])];
            int[] cuts = [.. Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(bytes.Length + 1)).Order()];
            Assert.Equal(Encoding.UTF8.GetString(bytes), Decode(bytes, cuts));
        }
    }

    [Fact]
    public void Append_HoldsAnUnfinishedCharacterOnly()
    {
        var output = new ArrayBufferWriter<char>();
        var stream = new Utf8Stream();
        stream.Append([(byte)'a', 0xF0, 0x9F, 0x98], output);
        Assert.Equal("a", output.WrittenSpan.ToString());
        stream.Append([0x80], output);
        Assert.Equal("a😀", output.WrittenSpan.ToString());
    }

    private static string Decode(byte[] bytes, int[] cuts)
    {
        var output = new ArrayBufferWriter<char>();
        var stream = new Utf8Stream();
        foreach (var (start, end) in Cuts.Pieces(bytes.Length, cuts))
        {
            stream.Append(bytes.AsSpan(start..end), output);
        }
        stream.Flush(output);
        return output.WrittenSpan.ToString();
    }
}
