using System.Text.Json.Nodes;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tests.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

public class TokenizerFileWriterTests
{
    private static JsonNode Written(string name)
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(["to be or not to be"], 260, ["<|endoftext|>", "<|pad|>"]).Write(folder.Path, 77);
        Assert.Equal(TokenizerFileWriter.FileNames.Order(), Directory.GetFiles(folder.Path).Select(file => Path.GetFileName(file)!).Order());
        return JsonNode.Parse(File.ReadAllText(folder[name]))!;
    }

    [Fact]
    public void Write_TokenizerJson_IsByteLevelBpe()
    {
        JsonNode json = Written("tokenizer.json");
        Assert.Equal("BPE", (string?)json["model"]!["type"]);
        Assert.Null(json["normalizer"]);
        Assert.Null(json["post_processor"]);
        foreach (string part in new[] { "pre_tokenizer", "decoder" })
        {
            Assert.Equal("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""", json[part]!.ToJsonString());
        }
        Assert.Equal(260, json["model"]!["vocab"]!.AsObject().Count);
        Assert.Equal(2, json["model"]!["merges"]!.AsArray().Count);
        JsonObject token = json["added_tokens"]![1]!.AsObject();
        Assert.Equal((1, "<|pad|>", true), ((int)token["id"]!, (string?)token["content"], (bool)token["special"]!));
    }

    [Fact]
    public void Write_Config_GivesTokensTheirParts()
    {
        JsonNode json = Written("tokenizer_config.json");
        Assert.Equal("PreTrainedTokenizerFast", (string?)json["tokenizer_class"]);
        Assert.Equal("<|endoftext|>", (string?)json["bos_token"]);
        Assert.Equal("<|endoftext|>", (string?)json["eos_token"]);
        Assert.Equal("<|pad|>", (string?)json["pad_token"]);
        Assert.True((bool)json["add_bos_token"]!);
        Assert.False((bool)json["clean_up_tokenization_spaces"]!);
        Assert.Equal(77, (int)json["model_max_length"]!);
        Assert.Equal("<|endoftext|>", (string?)json["added_tokens_decoder"]!["0"]!["content"]);
        Assert.StartsWith("{{ bos_token }}{% for message in messages %}", (string?)json["chat_template"]);
    }

    [Fact]
    public void Write_SpecialTokensMap_AgreesWithTheConfig()
    {
        JsonNode map = Written("special_tokens_map.json"), config = Written("tokenizer_config.json");
        Assert.Equal(3, map.AsObject().Count);
        Assert.All(map.AsObject(), entry => Assert.Equal((string?)config[entry.Key], (string?)entry.Value));
    }

    [Fact]
    public void Write_OfOneSpecialToken_PadsWithIt()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(["to be or not to be"], 258, ["<end>"]).Write(folder.Path, 77);
        Assert.Equal("<end>", (string?)JsonNode.Parse(File.ReadAllText(folder["tokenizer_config.json"]))!["pad_token"]);
    }
}
