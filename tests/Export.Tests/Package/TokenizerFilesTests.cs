using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Package;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Package;

public sealed class TokenizerFilesTests
{
    [Fact]
    public void Load_TakesTheIdsOfTheTokenizer()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer_config.json", json => json["pad_token"] = new JsonObject { ["content"] = "<|pad|>", ["special"] = true });
        folder.Edit("generation_config.json", json => json["eos_token_id"] = new JsonArray(0, 7));
        var files = TokenizerFiles.Load(folder.Checkpoint, folder.Config);
        Assert.Equal([0, 7], files.EosTokenIds);
        Assert.Equal((0, 1), (files.BosTokenId!.Value, files.PadTokenId));
    }

    [Fact]
    public void Load_NoPad_IsMinusOne()
    {
        using var folder = new CheckpointFolder(TestConfigs.LatentMoE);
        folder.Edit("tokenizer_config.json", json => json.Remove("pad_token"));
        Assert.Equal(-1, TokenizerFiles.Load(folder.Checkpoint, folder.Config with { PadTokenId = null }).PadTokenId);
    }

    [Fact]
    public void Load_NoGenerationConfig_TakesTheIdsOfTheModel()
    {
        using var folder = new CheckpointFolder();
        File.Delete(folder.File("generation_config.json"));
        Assert.Equal([5], TokenizerFiles.Load(folder.Checkpoint, folder.Config with { EosTokenId = 5 }).EosTokenIds);
        Assert.Contains("eos_token_id", Assert.Throws<CheckpointException>(() => TokenizerFiles.Load(folder.Checkpoint, folder.Config with { EosTokenId = null })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_IdBeyondTheVocabulary_NamesTokenAndId()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer.json", json => json["model"]!["vocab"]!["zebra"] = 272);
        string message = folder.Fails<CheckpointException>().Message;
        Assert.Contains("tokenizer.json: token \"zebra\" has id 272, but vocab_size in config.json is 272", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AddedTokenBeyondTheVocabulary_NamesTokenAndId()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer.json", json => json["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 300, ["content"] = "<|tool|>" }));
        Assert.Contains("\"<|tool|>\" has id 300", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Load_MissingFile_IsNamed(string name)
    {
        using var folder = new CheckpointFolder();
        File.Delete(folder.File(name));
        Assert.Contains(folder.File(name), folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"model\": {\n \"vocab\": { \"a\" 1 } } }", "line 2")]
    [InlineData("{}", "model.vocab is missing")]
    [InlineData("[]", "expected a JSON object")]
    [InlineData("{ \"model\": { \"vocab\": { \"a\": \"x\" } } }", "token \"a\" has id \"x\"")]
    [InlineData("{ \"model\": { \"vocab\": {} }, \"added_tokens\": [ { \"id\": 3 } ] }", "without content")]
    public void Load_DamagedTokenizer_SaysWhere(string text, string expected)
    {
        using var folder = new CheckpointFolder();
        File.WriteAllText(folder.File("tokenizer.json"), text);
        string message = folder.Fails<CheckpointException>().Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(folder.File("tokenizer.json"), message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("merges", "merges[0]")]
    [InlineData("pre_tokenizer", "pre_tokenizer")]
    public void Load_TokenizerThatTheRuntimeRefuses_IsNotPublished(string part, string expected)
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer.json", json =>
        {
            if (part == "merges")
            {
                json["model"]!["merges"] = new JsonArray("q q zz", 7);
            }
            else
            {
                json["pre_tokenizer"] = null;
            }
        });
        string message = folder.Fails<CheckpointException>().Message;
        Assert.Contains(folder.File("tokenizer.json"), message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json", """{ "model": { "vocab": { "a": 1, "a": 2 } } }""")]
    [InlineData("tokenizer.json", """{ "model": { "vocab": { "\ud800": 1 } } }""")]
    [InlineData("tokenizer.json", """{ "model": { "vocab": {} }, "added_tokens": [ { "id": 1, "content": "\udc00" } ] }""")]
    [InlineData("tokenizer_config.json", """{ "pad_token": "\ud800" }""")]
    [InlineData("generation_config.json", """{ "eos_token_id": 0, "eos_token_id": 1 }""")]
    [InlineData("training.json", """{ "steps": 1, "corpus": { "description": "a", "description": "b" } }""")]
    [InlineData("training.json", """{ "sample": "\ud800" }""")]
    [InlineData("training.json", "[1]")]
    public void Load_KeyTwiceOrHalfACharacter_NamesFileAndRemedy(string name, string text)
    {
        using var folder = new CheckpointFolder();
        File.WriteAllText(folder.File(name), text);
        string message = folder.Fails<CheckpointException>().Message;
        Assert.StartsWith(folder.File(name), message, StringComparison.Ordinal);
        Assert.Contains("again.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void CopyTo_UnreadableFile_BlamesTheCheckpoint()
    {
        using var folder = new CheckpointFolder();
        // Exists and opens, but reading its start fails.
        File.CreateSymbolicLink(folder.File("special_tokens_map.json"), "/proc/self/mem");
        string message = folder.Fails<CheckpointException>().Message;
        Assert.StartsWith($"{folder.File("special_tokens_map.json")}: cannot be read", message, StringComparison.Ordinal);
        Assert.DoesNotContain("free space", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnknownPad_IsRefused()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer_config.json", json => json["pad_token"] = "<pad>");
        Assert.Contains("pad_token is \"<pad>\"", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CopyTo_ChatTemplate_GoesAlong()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer_config.json", json => json["chat_template"] = "{{ messages }}");
        File.WriteAllText(folder.File("chat_template.jinja"), "{{ bos_token }}");
        Exporter.Run(folder.Options);
        Assert.Equal("{{ messages }}", JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "tokenizer_config.json")))!["chat_template"]!.ToString());
        Assert.Equal("{{ bos_token }}", File.ReadAllText(Path.Combine(folder.Output, "chat_template.jinja")));
        Assert.Contains("chat_template.jinja", File.ReadAllText(Path.Combine(folder.Output, "manifest.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void CopyTo_OtherClass_IsReplacedByTheSafeOne()
    {
        using var folder = new CheckpointFolder();
        folder.Edit("tokenizer_config.json", json => json["tokenizer_class"] = "LlamaTokenizerFast");
        File.WriteAllText(folder.File("special_tokens_map.json"), "{}");
        Exporter.Run(folder.Options);
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "tokenizer_config.json")))!;
        Assert.Equal("PreTrainedTokenizerFast", written["tokenizer_class"]!.ToString());
        Assert.Equal("<|endoftext|>", written["bos_token"]!.ToString());
        Assert.True(File.Exists(Path.Combine(folder.Output, "special_tokens_map.json")));
        Assert.Equal(File.ReadAllBytes(folder.File("tokenizer.json")), File.ReadAllBytes(Path.Combine(folder.Output, "tokenizer.json")));
    }
}
