using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tests.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

/// <summary>Every damage is one message that names the file and the place.</summary>
public class TokenizerFileErrorTests
{
    private static readonly Lazy<string> Valid = new(() =>
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(["the cat the cat the cat"], 262, ["<|endoftext|>", "<|pad|>"]).Write(folder.Path, 128);
        return File.ReadAllText(folder["tokenizer.json"]);
    });

    [Theory]
    [InlineData("\"type\": \"BPE\"", "\"type\": \"WordPiece\"", "model.type is \"WordPiece\"")]
    [InlineData("\"byte_fallback\": false", "\"byte_fallback\": true", "model.byte_fallback is true")]
    [InlineData("\"dropout\": null", "\"dropout\": 0.1", "model.dropout is 0.1")]
    [InlineData("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}", "normalizer is NFC")]
    [InlineData("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}", "normalizer is Lowercase; supported are null, NFC")]
    [InlineData("\"lstrip\": false", "\"lstrip\": 1", "added_tokens[0].lstrip is 1; expected true or false")]
    [InlineData("\"use_regex\": true", "\"use_regex\": \"yes\"", "pre_tokenizer.use_regex is \"yes\"")]
    [InlineData("\"pre_tokenizer\": {\n    \"type\": \"ByteLevel\"", "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(?<=a)b\"}, \"behavior\": \"Isolated\"}, {\"type\": \"ByteLevel\"}]}, \"x\": {\n    \"type\": \"\"", "pre_tokenizer.pretokenizers[0].pattern.Regex is")]
    [InlineData("\"pre_tokenizer\": {\n    \"type\": \"ByteLevel\"", "\"pre_tokenizer\": {\n    \"type\": \"Whitespace\"", "pre_tokenizer is Whitespace")]
    [InlineData("\"decoder\": {\n    \"type\": \"ByteLevel\"", "\"decoder\": {\n    \"type\": \"WordPiece\"", "decoder is WordPiece")]
    [InlineData("\"post_processor\": null", "\"post_processor\": {\"type\": \"BertProcessing\"}", "post_processor is BertProcessing")]
    [InlineData("\"#\": 4", "\"#\": 3", "both have the id 3")]
    [InlineData("\"#\": 4", "\"#\": 4000", "no token has the id 4")]
    [InlineData("\"#\": 4", "\"#\": \"4\"", "model.vocab[\"#\"] is \"4\"")]
    [InlineData("\"#\": 4", "\"##\": 4", "the symbol of byte 0x23")]
    [InlineData("\"#\": 4,", "\"#\": 4, \"#\": 5,", "the token \"#\" twice")]
    [InlineData("\"h e\"", "\"h q\"", "model.merges[")]
    [InlineData("\"h e\"", "\"he\"", "expected two tokens")]
    [InlineData("\"h e\"", "7", "expected two tokens")]
    [InlineData("\"id\": 0,", "\"id\": 9,", "has the id 9 in added_tokens but 0 in model.vocab")]
    [InlineData("\"id\": 0,", "", "added_tokens[0].id")]
    [InlineData("\"content\": \"<|pad|>\"", "\"content\": \"\"", "added_tokens[1].content")]
    [InlineData("\"content\": \"<|pad|>\"", "\"content\": \"<|endoftext|>\"", "added_tokens[1] repeats")]
    [InlineData("\"model\": {", "\"modell\": {", "model is missing")]
    [InlineData("\"merges\": [", "\"marges\": [", "model.merges is missing")]
    public void Load_NamesTheFileAndTheKey(string from, string to, string message)
    {
        using var folder = new TextFolder();
        Assert.Contains(from, Valid.Value);
        int at = Valid.Value.IndexOf(from, StringComparison.Ordinal);
        string file = folder.Write("tokenizer.json", Valid.Value[..at] + to + Valid.Value[(at + from.Length)..]);
        var e = Assert.Throws<CheckpointException>(() => TokenizerFile.Load(folder.Path));
        Assert.StartsWith($"{file}: ", e.Message);
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void Load_OfTheUnchangedFile_Works()
    {
        using var folder = new TextFolder();
        Assert.Equal(262, TokenizerFile.Load(folder.Write("tokenizer.json", Valid.Value)).VocabularySize);
    }

    [Fact]
    public void Load_OfACutFile_NamesTheLine()
    {
        using var folder = new TextFolder();
        int lines = Valid.Value[..(Valid.Value.Length / 2)].Count(c => c == '\n') + 1;
        folder.Write("tokenizer.json", Valid.Value[..(Valid.Value.Length / 2)]);
        var e = Assert.Throws<CheckpointException>(() => TokenizerFile.Load(folder.Path));
        Assert.Contains($"line {lines},", e.Message);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"model\": {\"vocab\": {\"\\ud800\": 0}}}")]
    public void Load_OfOtherJson_IsOneError(string json)
    {
        using var folder = new TextFolder();
        folder.Write("tokenizer.json", json);
        Assert.Throws<CheckpointException>(() => TokenizerFile.Load(folder.Path));
    }

    [Fact]
    public void Load_OfNothing_SaysWhatWasExpected()
    {
        using var folder = new TextFolder();
        var e = Assert.Throws<CheckpointException>(() => TokenizerFile.Load(folder.Path));
        Assert.StartsWith($"{folder["tokenizer.json"]}: no such file", e.Message);
    }
}
