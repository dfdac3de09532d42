using System.Text;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;

namespace LatentMoE.Training.Tests.Data;

/// <summary>What is wrong with a corpus is one message with the file and the place, and nothing stays in the cache.</summary>
public class CorpusErrorTests
{
    private static string Error(TextFolder folder, string path)
    {
        var options = new CorpusOptions { DataPath = path, VocabularySize = 300 };
        var e = Assert.Throws<CheckpointException>(() => PreparedCorpus.Prepare(options, folder["cache"]));
        Assert.False(Directory.Exists(folder["cache"]) && Directory.EnumerateFileSystemEntries(folder["cache"]).Any(), "the cache holds something");
        return e.Message;
    }

    [Fact]
    public void Prepare_OfAMissingPath_NamesIt()
    {
        using var folder = new TextFolder();
        Assert.StartsWith($"{folder["nowhere.txt"]}: no such file or folder", Error(folder, folder["nowhere.txt"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    [InlineData("<|endoftext|>\n<|endoftext|>")]
    public void Prepare_OfAnEmptyFile_SaysSo(string text)
    {
        using var folder = new TextFolder();
        Assert.StartsWith($"{folder["empty.txt"]}: the corpus is empty", Error(folder, folder.Write("empty.txt", text)));
    }

    [Fact]
    public void Prepare_OfAFolderWithoutText_SaysWhatIsWanted()
    {
        using var folder = new TextFolder();
        folder.Write("data/readme.md", "no text");
        Assert.Contains(".txt and no .jsonl", Error(folder, folder["data"]));
    }

    [Fact]
    public void Prepare_OfOneWord_SaysWhatIsWanted()
    {
        using var folder = new TextFolder();
        Assert.Contains("cannot be split", Error(folder, folder.Write("word.txt", "word")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(37)]
    [InlineData(1_500_000)]
    [InlineData(3_145_727)]
    public void Prepare_OfInvalidUtf8_NamesFileAndByte(int at)
    {
        using var folder = new TextFolder();
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("A short story, and another.\n<|endoftext|>\n", 80_000)));
        text[at] = 0xFF;
        string file = folder.Write("data/broken.txt", text);
        Assert.StartsWith($"{file}: byte {at} (0xFF) is not valid UTF-8", Error(folder, folder["data"]));
    }

    [Fact]
    public void Prepare_OfACutCharacter_NamesItsFirstByte()
    {
        using var folder = new TextFolder();
        string file = folder.Write("cut.txt", [.. "abc "u8, 0xE2, 0x82]);
        Assert.StartsWith($"{file}: byte 4 (0xE2)", Error(folder, file));
    }

    [Theory]
    [InlineData("{\"txt\": \"b\"}", "line 3: no \"text\" field")]
    [InlineData("{\"text\": 5}", "line 3: no \"text\" field")]
    [InlineData("[\"b\"]", "line 3: no \"text\" field")]
    [InlineData("{\"text\": \"b\"", "line 3: not JSON")]
    [InlineData("{\"text\": \"\\ud800\"}", "line 3: not JSON")]
    public void Prepare_OfABadJsonLine_NamesIt(string line, string message)
    {
        using var folder = new TextFolder();
        string file = folder.Write("data.jsonl", $"{{\"text\": \"a\"}}\n\n{line}\n{{\"text\": \"c\"}}\n");
        Assert.StartsWith($"{file}: {message}", Error(folder, file));
    }

    [Fact]
    public void Prepare_OfInvalidUtf8InJsonLines_NamesTheByte()
    {
        using var folder = new TextFolder();
        string file = folder.Write("data.jsonl", [.. "{\"text\": \"a\"}\n{\"text\": \""u8, 0x80, .. "\"}\n"u8]);
        Assert.StartsWith($"{file}: byte 24 (0x80)", Error(folder, file));
    }
}
