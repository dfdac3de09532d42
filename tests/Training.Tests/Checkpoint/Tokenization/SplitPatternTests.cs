using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tests.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

/// <summary>The cuts that tokenizer files ask for, through the vocabulary of single bytes: the pieces are what Microsoft's tokenizer is given.</summary>
public class SplitPatternTests
{
    private const string Gpt4 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private static TokenizerFile Load(string pattern, string behavior = "Isolated", bool invert = false)
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(["a"], 257, ["<|endoftext|>"]).Write(folder.Path, 128);
        var json = JsonNode.Parse(File.ReadAllText(folder["tokenizer.json"]))!;
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = behavior, ["invert"] = invert },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        };
        folder.Write("tokenizer.json", json.ToJsonString());
        return TokenizerFile.Load(folder.Path);
    }

    private static string[] Pieces(TokenizerFile file, string text) =>
        [.. file.Tokenizer.PreTokenizer!.PreTokenize(text).Select(piece => text.Substring(piece.Offset, piece.Length))];

    [Theory]
    [InlineData(Gpt4, "I'LL say 12345 x\u017F's", "I|'LL| say| |123|45| xſ|'s")]
    [InlineData(Gpt4, "a  \n\n b 🙂🙃!\nc", "a|  \n\n| b| 🙂🙃!\n|c")]
    [InlineData(Gpt4, "𝐀𝐁 𝟘𝟙𝟚𝟛", "𝐀𝐁| |𝟘𝟙𝟚|𝟛")]
    [InlineData(@"\p{N}{1,3}", "ab12345c", "ab|123|45|c")]
    [InlineData(@"[一-龥]+", "a中文b𠀀", "a|中文|b𠀀")]
    [InlineData(@"\s+$", "a  b  \nc  ", "a  b|  |\nc|  ")]
    [InlineData(@"a+?b|[x\-z]", "aab-xyz", "aab|-|x|y|z")]
    [InlineData(@"\S(?=!)", "ab!c", "a|b|!c")]
    public void Match_CutsCodePoints(string pattern, string text, string pieces) => Assert.Equal(pieces.Split('|'), Pieces(Load(pattern), text));

    [Theory]
    [InlineData("Removed", false, "a|b|c")]
    [InlineData("Removed", true, "-|-|-")]
    [InlineData("MergedWithPrevious", false, "a-|b-|-|c")]
    [InlineData("MergedWithNext", false, "a|-b|-|-c")]
    [InlineData("Contiguous", false, "a|-|b|--|c")]
    public void Behavior_KeepsOrJoinsTheMatches(string behavior, bool invert, string pieces) => Assert.Equal(pieces.Split('|'), Pieces(Load("-", behavior, invert), "a-b--c"));

    [Fact]
    public void Match_OfGpt2sPattern_AgreesWithTheOneWrittenOut()
    {
        TokenizerFile file = Load(Gpt2);
        var random = new Random(3);
        foreach (string text in Texts.Awkward.Concat(Enumerable.Range(0, 2_000).Select(_ => Texts.RandomText(random))))
        {
            Assert.Equal(Gpt2PreTokenizer.Instance.PreTokenize(text), file.Tokenizer.PreTokenizer!.PreTokenize(text));
        }
    }

    [Theory]
    [InlineData("(a", "a group is not closed")]
    [InlineData("a*", "matches where there is nothing")]
    [InlineData("(?>a)", "the group (?>")]
    [InlineData("a++", "possessive")]
    [InlineData(@"(a)\1", @"\1 is not supported")]
    [InlineData(@"\p{Klingon}", @"\p{Klingon} is not supported")]
    [InlineData("[a&&b]", "&&")]
    [InlineData("(?:a{1000}){1000}", "more than 4096 steps")]
    [InlineData("(?:a|b)*a(?:a|b){14}", "more than 4096 states")]
    public void Load_RefusesWhatCannotBeMatched(string pattern, string message) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Load(pattern)).Message);

    [Fact]
    public void Encode_OfOneLongPiece_AgreesWithMicrosofts()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(["abab abcabc bcbc abcd"], 280, ["<|endoftext|>"]).Write(folder.Path, 128);
        TokenizerFile file = TokenizerFile.Load(folder.Path);
        var random = new Random(4);
        foreach (int length in (int[])[1, 2, 39, 40, 41, 200, 100_000])
        {
            string text = string.Concat(Enumerable.Range(0, length).Select(_ => "abc"[random.Next(3)]));
            Assert.Equal(file.Tokenizer.EncodeToIds(text), file.Encode(text));
        }
    }
}
