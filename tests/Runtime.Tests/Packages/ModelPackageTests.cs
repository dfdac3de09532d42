using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Tests.Packages;

[Collection(nameof(TestPackages))]
public class ModelPackageTests
{
    private static string Fails(string folder) => Assert.Throws<CheckpointException>(() => LanguageModel.Load(folder, new() { Device = Device.Cpu })).Message;

    [Fact]
    public void Load_NoFolder_SaysSo()
    {
        Assert.Contains("/no/such/package: no such folder", Fails("/no/such/package"));
    }

    [Theory]
    [InlineData("genai_config.json")]
    [InlineData("model.onnx")]
    [InlineData("model.onnx.data")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Load_FileMissing_NamesIt(string file)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.Delete(folder[file]);
        Assert.Contains($"{folder[file]}: no such file", Fails(folder.Path));
    }

    [Theory]
    [InlineData("genai_config.json")]
    [InlineData("model.onnx")]
    [InlineData("model.onnx.data")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Load_FileCutOff_NamesTheFileOrTheModel(string file)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        byte[] bytes = File.ReadAllBytes(folder[file]);
        File.WriteAllBytes(folder[file], bytes[..(bytes.Length / 2)]);
        Assert.StartsWith(file == "model.onnx.data" ? folder["model.onnx"] : folder[file], Fails(folder.Path));
    }

    [Fact]
    public void Load_FileCutOff_TheManifestTells()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.Copy(Path.Combine(TestPackages.Package("LatentMoE"), "manifest.json"), folder["manifest.json"]);
        LanguageModel.Load(folder.Path, new() { Device = Device.Cpu }).Dispose();
        byte[] bytes = File.ReadAllBytes(folder["model.onnx.data"]);
        File.WriteAllBytes(folder["model.onnx.data"], bytes[..^100]);
        string message = Fails(folder.Path);
        Assert.Contains(folder["model.onnx.data"], message);
        Assert.Contains($"{bytes.Length - 100} bytes", message);
        Assert.Contains($"says {bytes.Length} bytes", message);
    }

    [Theory]
    [InlineData("model.type", "\"phi\"", "\"decoder\"")]
    [InlineData("model.type", null, "missing")]
    [InlineData("model.context_length", "0", "positive whole number")]
    [InlineData("model.vocab_size", "\"many\"", "positive whole number")]
    [InlineData("model.vocab_size", "10", "belong to different models")]
    [InlineData("model.eos_token_id", "[0, \"x\"]", "a token id")]
    [InlineData("model.decoder.filename", "\"../model.onnx\"", "without a folder")]
    [InlineData("model.decoder.num_hidden_layers", "1", "exists for 2 layers; expected 1")]
    [InlineData("model.decoder.num_hidden_layers", "3", "has no input past_key_values.2.key")]
    [InlineData("model.decoder.head_size", "7", "expected [batch, 1, tokens, 7]")]
    [InlineData("model.decoder.inputs.input_ids", "\"tokens\"", "has no input tokens")]
    [InlineData("model.decoder.inputs.past_key_names", "\"past\"", "%d")]
    [InlineData("model.decoder.outputs.logits", "\"scores\"", "has no output scores")]
    public void Load_WrongConfiguration_NamesTheKeyOrTensor(string key, string? value, string told)
    {
        using var folder = TestPackages.Copy("LatentMoE");
        TestPackages.Edit(folder, "genai_config.json", root =>
        {
            string[] path = key.Split('.');
            var parent = path[..^1].Aggregate((JsonNode)root, (node, part) => node[part]!);
            parent[path[^1]] = value is null ? null : JsonNode.Parse(value);
        });
        string message = Fails(folder.Path);
        Assert.Contains(told, message);
        Assert.StartsWith(folder.Path, message);
    }

    [Theory]
    [InlineData("LatentMoE", int.MaxValue, "the cache would take")]
    [InlineData("Llama", int.MaxValue, "the cache would take")]
    [InlineData("LatentMoE", 321, "the graph fails at position 320")]
    [InlineData("LatentMoE", 4096, "the graph fails at position 4095")]
    [InlineData("Llama", 4096, "the graph fails at position 4095")]
    public void Load_ContextLongerThanTheModels_NamesTheKey(string family, int length, string told)
    {
        using var folder = TestPackages.Copy(family);
        TestPackages.Edit(folder, "genai_config.json", root => root["model"]!["context_length"] = length);
        string message = Fails(folder.Path);
        Assert.StartsWith($"{folder["genai_config.json"]}: model.context_length is {length}, but ", message);
        Assert.Contains(told, message);
        Assert.Contains("Export the package again", message);
        using var shorter = LanguageModel.Load(folder.Path, new() { Device = Device.Cpu, ContextLength = TestPackages.Context });
        Assert.Equal(TestPackages.Context, shorter.ContextLength);
    }

    [Fact]
    public void Load_BeginOfSequenceUnknown_NamesIt()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        TestPackages.Edit(folder, "tokenizer_config.json", root => root["bos_token"] = new JsonObject { ["content"] = "<s>" });
        Assert.Contains("bos_token.content is \"<s>\"", Fails(folder.Path));
    }

    [Fact]
    public void Load_ManifestNamesAFileElsewhere_IsRefused()
    {
        using var folder = TestPackages.Copy("LatentMoE");
        File.WriteAllText(folder["manifest.json"], """{ "files": [{ "name": "../outside", "size": 1 }] }""");
        Assert.Contains("without a folder", Fails(folder.Path));
    }
}
