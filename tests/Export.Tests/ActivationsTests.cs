using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Parity;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests;

/// <summary>Packages with 16-bit activations, on stock ONNX Runtime.</summary>
public sealed class ActivationsTests
{
    // All rows are multiples of 32 elements.
    private static readonly ModelConfig Wide = TestConfigs.LatentMoE with
    {
        HiddenSize = 64, NumAttentionHeads = 4, NumKeyValueHeads = 4, MoeIntermediateSize = 32, IntermediateSize = 96,
    };

    private static readonly Dictionary<string, ModelConfig> Configs = new()
    {
        ["wide"] = Wide,
        ["tied"] = Wide with { TieWordEmbeddings = true, NSharedExperts = 0 },
        ["query lora"] = TestConfigs.QueryLora with { QLoraRank = 32, MoeIntermediateSize = 32, FirstKDenseReplace = 1 },
        ["dense"] = TestConfigs.LatentDense,
        ["llama"] = TestConfigs.Llama,
        ["glm"] = TestConfigs.Glm4Moe with { MoeIntermediateSize = 48 },
    };

    [Theory]
    [InlineData("f16", "f16", "wide")]
    [InlineData("f16", "int8", "tied")]
    [InlineData("f16", "int4", "query lora")]
    [InlineData("f16", "f16", "dense")]
    [InlineData("f16", "f16", "llama")]
    [InlineData("f16", "int8", "glm")]
    [InlineData("bf16", "bf16", "wide")]
    [InlineData("bf16", "int8", "query lora")]
    [InlineData("bf16", "int4", "tied")]
    [InlineData("bf16", "bf16", "dense")]
    public void Run_NarrowActivations_StayNearTheFloat32Form(string activations, string precision, string name)
    {
        using var folder = new CheckpointFolder(Configs[name]);

        var parity = Exporter.Run(folder.Options with { Precision = precision, Activations = activations }).Parity!;

        Assert.Equal(Measure.RootMeanSquare, parity.Measure);
        Assert.All(parity.Lines, line => Assert.InRange(line.Relative, 1e-7, parity.Limit));
        Assert.InRange(parity.Choice!.Same, parity.Choice.Tokens * 3 / 4, parity.Choice.Tokens);
        AssertLogits(folder, activations == "f16" ? 2e-3 : 1.6e-2);
        AssertTypes(folder, activations == "f16" ? DataType.Float16 : DataType.Bfloat16);
    }

    [Theory]
    [InlineData("f16", "f32", "--precision=f16, int8 or int4")]
    [InlineData("f16", "bf16", "--precision=f16, int8 or int4")]
    [InlineData("bf16", "f16", "--precision=bf16, int8 or int4")]
    public void Run_WeightsThatTheOperatorsDoNotTake_AreRefusedByName(string activations, string precision, string remedy)
    {
        using var folder = new CheckpointFolder(Wide);
        string message = folder.Fails<CheckpointException>(folder.Options with { Precision = precision, Activations = activations }).Message;
        Assert.Contains($"weights of {precision} do not go with activations of {activations}", message, StringComparison.Ordinal);
        Assert.Contains(remedy, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("f16", "f32")]
    [InlineData("bf16", "f16")]
    [InlineData("f32", "bf16")]
    public void Run_ACacheOfAnotherType_IsRefused(string activations, string cache)
    {
        using var folder = new CheckpointFolder(Wide);
        string message = folder.Fails<CheckpointException>(folder.Options with { Precision = activations, Activations = activations, Cache = cache }).Message;
        Assert.StartsWith($"cache \"{cache}\" is not one of", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnknownActivations_NameTheKnownOnes()
    {
        using var folder = new CheckpointFolder(Wide);
        Assert.Contains("one of: f32, f16, bf16", folder.Fails<CheckpointException>(folder.Options with { Activations = "int8" }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ActivationsBeyondFloat16_AreRefusedWithARemedy()
    {
        using var folder = new CheckpointFolder(TestConfigs.LatentDense);
        folder.Edit("model.safetensors", entries => entries.Select(e => e.Name == "model.layers.0.post_attention_layernorm.weight"
            ? SafetensorsEntry.Of(e.Name, e.Shape, [.. Enumerable.Repeat(1e5f, (int)e.Shape[0])]) : e));
        string message = folder.Fails<ParityException>(folder.Options with { Precision = "f16", Activations = "f16" }).Message;
        Assert.Contains("expected finite numbers", message, StringComparison.Ordinal);
        Assert.Contains("--activations=bf16", message, StringComparison.Ordinal);
        Assert.True(Exporter.Run(folder.Options with { Precision = "bf16", Activations = "bf16" }).Parity!.Passed);
    }

    [Fact]
    public void Run_BrainActivationsOfATwin_AreRefused()
    {
        using var folder = new CheckpointFolder(TestConfigs.Llama);
        string message = folder.Fails<CheckpointException>(folder.Options with { Precision = "bf16", Activations = "bf16" }).Message;
        Assert.Contains("--activations=f16", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("f16", "f16", "f16", "new ort.Tensor('float16'")]
    [InlineData("bf16", "bf16", "f32", "has no tensors of bfloat16")]
    public void Run_NarrowActivations_AreNamedInManifestAndCard(string activations, string precision, string logits, string usage)
    {
        using var folder = new CheckpointFolder(Wide);
        Exporter.Run(folder.Options with { Precision = precision, Activations = activations });
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "manifest.json")))!;
        Assert.Equal([activations, activations, logits], new[] { "activations", "cache", "logits" }.Select(key => (string?)manifest[key]));
        string card = File.ReadAllText(Path.Combine(folder.Output, "README.md"));
        Assert.Contains($"| Activations | {activations}", card, StringComparison.Ordinal);
        Assert.Contains($"--target=Export --precision={precision} --activations={activations}`", card, StringComparison.Ordinal);
        Assert.Contains(usage, card, StringComparison.Ordinal);
    }

    // Against the decoder in float64 with the package's own numbers. Rounding may tip a token to another expert of nearly the same
    // score, which later tokens see too: most tokens are near, and none is far.
    private static void AssertLogits(CheckpointFolder folder, double limit)
    {
        var decoder = new ReferenceDecoder(folder.Config, PackageWeights.Open(folder.Output).Values(folder.Config));
        long[] ids = [0, 17, 90, 4, 33, 120, 8, 200, 71];
        using var session = new DecoderSession(folder.Output, folder.Config, GraphOptimizationLevel.ORT_ENABLE_ALL);
        float[] expected = Array.ConvertAll(decoder.Logits(ids), v => (float)v);
        foreach (var (steps, room) in new (int[], int?)[] { ([ids.Length], null), ([.. ids.Select(_ => 1)], 12) })
        {
            float[] logits = session.Decode(ids, 1, steps, room).Logits;
            double[] differences = [.. logits.Chunk(folder.Config.VocabSize).Zip(expected.Chunk(folder.Config.VocabSize),
                (actual, wanted) => Difference.Of(actual, wanted, Measure.RootMeanSquare).Relative).Order()];
            Assert.InRange(differences[ids.Length / 2], 1e-7, limit);
            Assert.InRange(differences[^1], 1e-7, 0.05);
        }
    }

    // Every value between two operators of the domain is of the type of the activations, and so is the cache.
    private static void AssertTypes(CheckpointFolder folder, DataType type)
    {
        var weights = PackageWeights.Open(folder.Output);
        var graph = weights.Model.Graph;
        var cache = graph.Input.Where(i => i.Name.StartsWith("past_key_values.", StringComparison.Ordinal)).Concat(graph.Output.Where(o => o.Name != "logits"));
        Assert.All(cache, value => Assert.Equal((int)type, value.Type.TensorType.ElemType));
        Assert.Equal((int)(type == DataType.Bfloat16 ? DataType.Float : type), graph.Output.Single(o => o.Name == "logits").Type.TensorType.ElemType);
        Assert.Equal(type, weights.Type("model.embed_tokens.weight"));
        Assert.Equal(DataType.Float, weights.Type("model.norm.weight"));
        // ONNX Runtime's CUDA kernel for norms takes float16 beside a float32 gain, but not bfloat16, so no norm may take in the cast before it.
        foreach (var nodes in weights.Model.Functions.Select(function => function.Node).Append(graph.Node))
        {
            var producers = nodes.SelectMany(node => node.Output.Select(output => (output, node.OpType))).ToDictionary(p => p.output, p => p.OpType);
            Assert.All(nodes.Where(node => node.OpType == "Pow"), node => Assert.True(type != DataType.Bfloat16 || producers[node.Input[0]] != "Cast", node.Name));
        }
    }
}
