using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Export.Onnx;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Sources;

/// <summary>Packages without a checkpoint.</summary>
public sealed class RandomSourceTests
{
    private const int Tokens = 200;

    private static readonly ModelConfig Config = PresetFile.Load("bench-s").Model with
    {
        NumHiddenLayers = 2, VocabSize = 600, NRoutedExperts = 24, MoeIntermediateSize = 32, MaxPositionEmbeddings = 256,
    };

    [Theory]
    [InlineData("f32", false)]
    [InlineData("int4", false)]
    [InlineData("bf16", true)]
    public void Export_RandomWeights_KeepLogitsAndRoutingAlive(string precision, bool tied)
    {
        using var folder = new TemporaryFolder();
        Export(folder["package"], Config with { TieWordEmbeddings = tied }, precision);

        var (logits, experts) = Run(folder["package"]);

        Assert.All(logits, v => Assert.True(float.IsFinite(v)));
        double deviation = Math.Sqrt(logits.Average(v => (double)v * v));
        Assert.InRange(deviation, 1, 3);
        int[] counts = [.. Enumerable.Range(0, Config.NRoutedExperts).Select(e => experts.Count(chosen => chosen == e))];
        double mean = (double)Tokens * Config.NumExpertsPerTok / Config.NRoutedExperts;
        Assert.All(counts, count => Assert.InRange(count, mean / 8, mean * 4));
    }

    [Fact]
    public void Export_EqualSeeds_GiveEqualWeights()
    {
        using var folder = new TemporaryFolder();
        string Hash(string name, int seed) => Export(folder[name], Config, "int8", seed).Files.Single(f => f.Name == ExternalData.FileName).Sha256;
        Assert.Equal(Hash("a", 3), Hash("b", 3));
        Assert.NotEqual(Hash("c", 3), Hash("d", 4));
    }

    [Fact]
    public void Export_RandomWeights_SaysSoInManifestAndCard()
    {
        using var folder = new TemporaryFolder();
        var result = Export(folder["package"], Config, "f16", seed: 7);
        var manifest = JsonNode.Parse(File.ReadAllText(folder["package/manifest.json"]))!;
        Assert.Null(result.Parity);
        Assert.Equal(("benchmarks", "made-up", 7), (manifest["random_weights"]!["purpose"]!.ToString(), manifest["random_weights"]!["preset"]!.ToString(),
            manifest["random_weights"]!["seed"]!.GetValue<int>()));
        Assert.Empty(manifest["source"]!.AsArray());
        Assert.Contains("random weights", manifest["parity"]!["skipped"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("**Random weights, for benchmarks**: preset made-up, seed 7", File.ReadAllText(folder["package/README.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenizer_OfRandomWeights_ReadsBytesAndWritesEveryId()
    {
        using var folder = new TemporaryFolder();
        Export(folder["package"], Config, "int8");
        var tokenizer = TokenizerFile.Load(folder["package/tokenizer.json"]);
        int[] ids = [.. tokenizer.Encode("Hé!")];
        Assert.Equal(4, ids.Length);
        Assert.Equal("Hé!", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.All(Enumerable.Range(2, Config.VocabSize - 2), id => Assert.NotEqual("", tokenizer.Decode([id], skipSpecialTokens: false)));
    }

    [Fact]
    public void Export_TooSmallAVocabulary_IsRefused()
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<CheckpointException>(() => Export(folder["package"], Config with { VocabSize = 257 }, "f32")).Message;
        Assert.StartsWith("made-up: vocab_size is 257;", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Export_BothOrNeitherSource_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<CheckpointException>(() => Exporter.Run(new ExportOptions { Output = folder["package"] }));
        Assert.Throws<CheckpointException>(() => Exporter.Run(new ExportOptions { Output = folder["package"], Checkpoint = folder.Path, Random = new("x", Config) }));
    }

    private static ExportResult Export(string output, ModelConfig config, string precision, int seed = 1) =>
        Exporter.Run(new ExportOptions { Output = output, Precision = precision, Random = new("made-up", config, seed) });

    // The logits of random ids, and the experts that the last layer chose, which the model keeps to itself otherwise.
    private static (float[] Logits, int[] Experts) Run(string package)
    {
        var model = PackageWeights.Open(package).Model;
        const string Chosen = "layers.1/experts";
        model.Graph.Output.Add(new ValueInfoProto { Name = Chosen, Type = LatentMoE.Export.Onnx.Tensors.Type(DataType.Int32, null) });
        string file = Path.Combine(package, "open.onnx");
        using (var stream = File.Create(file))
        {
            Google.Protobuf.MessageExtensions.WriteTo(model, stream);
        }
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(file, options);
        using var run = new RunOptions();
        var random = new RandomNumbers(5);
        OrtValue Row(Func<int, long> value) => OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, Tokens).Select(t => value(t)).ToArray(), [1, Tokens]);
        var inputs = new Dictionary<string, OrtValue> { ["input_ids"] = Row(_ => random.Next(0, Config.VocabSize)), ["attention_mask"] = Row(_ => 1), ["position_ids"] = Row(t => t) };
        var (heads, width) = Config.CacheShape;
        foreach (string name in session.InputNames.Where(name => name.StartsWith("past_key_values.", StringComparison.Ordinal)))
        {
            inputs.Add(name, OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [1, heads, 0, width]));
        }
        using var outputs = session.Run(run, inputs, ["logits", Chosen]);
        foreach (var value in inputs.Values)
        {
            value.Dispose();
        }
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[1].GetTensorDataAsSpan<int>().ToArray());
    }
}
