using System.Security.Cryptography;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Package;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Package;

/// <summary>What a published folder says about itself.</summary>
public sealed class PackageFilesTests
{
    private const string Training = """
        { "preset": "tiny", "arguments": "--preset=tiny --steps=400", "corpus": { "description": "stories | about cats", "train_tokens": 1200000 }, "steps": 400, "tokens_seen": 2400000,
          "evaluation": { "loss": 1.23456, "perplexity": 3.4369, "bits_per_byte": 0.71 }, "baselines": { "bigram": 2.5 }, "sample": "Once\nupon a time." }
        """;

    [Fact]
    public void Manifest_HasSizeAndHashOfEveryFile()
    {
        using var folder = new CheckpointFolder();
        var result = Exporter.Run(folder.Options);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "manifest.json")))!;

        var listed = manifest["files"]!.AsArray().Select(f => (f!["name"]!.ToString(), f["size"]!.GetValue<long>(), f["sha256"]!.ToString())).ToList();

        Assert.Equal(Hashes(folder.Output, "manifest.json"), listed);
        Assert.Equal(listed, result.Files.Select(f => (f.Name, f.Size, f.Sha256)));
        Assert.Equal(Hashes(folder.Checkpoint), manifest["source"]!.AsArray().Select(f => (f!["name"]!.ToString(), f["size"]!.GetValue<long>(), f["sha256"]!.ToString())));
        Assert.Equal(("f32", 18, 8), (manifest["precision"]!.ToString(), manifest["onnx"]!["opset"]!.GetValue<int>(), manifest["onnx"]!["ir_version"]!.GetValue<int>()));
        Assert.Equal(result.Parity!.Lines.Count, manifest["parity"]!["lines"]!.AsArray().Count);
    }

    [Theory]
    [InlineData(nameof(TestConfigs.LatentMoE), 1, 16)]
    [InlineData(nameof(TestConfigs.Llama), 2, 16)]
    public void GenAIConfig_HasTheKeysThatGenAIKnowsAndNoNulls(string name, int heads, int width)
    {
        using var folder = new CheckpointFolder(TestConfigs.All[name]);
        Exporter.Run(folder.Options);
        string text = File.ReadAllText(Path.Combine(folder.Output, "genai_config.json"));
        var model = JsonNode.Parse(text)!["model"]!.AsObject();

        Assert.DoesNotContain("null", text, StringComparison.Ordinal);
        Assert.Equal(["bos_token_id", "context_length", "decoder", "eos_token_id", "pad_token_id", "type", "vocab_size"], model.Select(p => p.Key).Order(StringComparer.Ordinal));
        Assert.Equal(("decoder", 0, 0, 1, 96, 272), (model["type"]!.ToString(), Int(model["bos_token_id"]), Int(model["eos_token_id"]), Int(model["pad_token_id"]),
            Int(model["context_length"]), Int(model["vocab_size"])));
        var decoder = model["decoder"]!;
        Assert.Equal((heads, width, 2, "model.onnx"), (Int(decoder["num_key_value_heads"]), Int(decoder["head_size"]), Int(decoder["num_hidden_layers"]), decoder["filename"]!.ToString()));
        static int Int(JsonNode? node) => node!.GetValue<int>();
    }

    [Fact]
    public void ModelCard_NamesACommandOnlyWhereTheRunLeftItsArguments()
    {
        using var folder = new CheckpointFolder();
        string Card(string training)
        {
            File.WriteAllText(folder.File("training.json"), training);
            Exporter.Run(folder.Options);
            return File.ReadAllText(Path.Combine(folder.Output, "README.md"));
        }
        Assert.Contains("`dotnet cake build --target=Train --preset=tiny --twin=mha-dense --steps=40` repeats it",
            Card("""{ "preset": "tiny-mha-dense", "arguments": "--preset=tiny --twin=mha-dense --steps=40" }"""), StringComparison.Ordinal);
        Assert.DoesNotContain("--target=Train", Card("""{ "preset": "tiny-mha-dense" }"""), StringComparison.Ordinal);
    }

    [Fact]
    public void ModelCard_HasFrontMatterAndTheFiguresOfTraining()
    {
        using var folder = new CheckpointFolder();
        File.WriteAllText(folder.File("training.json"), Training);
        Exporter.Run(folder.Options);
        string card = File.ReadAllText(Path.Combine(folder.Output, "README.md"));

        Assert.StartsWith("---\nlibrary_name: onnx\n", card, StringComparison.Ordinal);
        Assert.Contains("\n# package\n", card, StringComparison.Ordinal);
        Assert.Contains("| Held-out loss, nats a token | 1.2346 |", card, StringComparison.Ordinal);
        Assert.Contains("| Text | stories \\| about cats |", card, StringComparison.Ordinal);
        Assert.Contains("--target=Train --preset=tiny", card, StringComparison.Ordinal);
        Assert.Contains("> Once upon a time.", card, StringComparison.Ordinal);
        Assert.Contains("| logits | share | reference |", card, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Root, card, StringComparison.Ordinal);
    }

    [Fact]
    public void DamagedTraining_IsNamed()
    {
        using var folder = new CheckpointFolder();
        File.WriteAllText(folder.File("training.json"), Training[..100]);
        Assert.Contains("training.json", folder.Fails<CheckpointException>().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DiskSpace_TooLittle_SaysHowMuch()
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<CheckpointException>(() => DiskSpace.Require(folder.Path, 1L << 60)).Message;
        Assert.Contains("1,152,921,504,611.0 MB", message, StringComparison.Ordinal);
    }

    private static IEnumerable<(string, long, string)> Hashes(string folder, string? except = null) => Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
        .Where(file => Path.GetFileName(file) != except)
        .Select(file => (Path.GetFileName(file), new FileInfo(file).Length, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))));
}
