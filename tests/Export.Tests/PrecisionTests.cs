using LatentMoE.Checkpoints;
using LatentMoE.Export.Parity;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests;

/// <summary>Packages of every precision, on stock ONNX Runtime.</summary>
public sealed class PrecisionTests
{
    // All rows are multiples of 32 elements.
    private static readonly ModelConfig Wide = TestConfigs.LatentMoE with
    {
        HiddenSize = 64, NumAttentionHeads = 4, NumKeyValueHeads = 4, MoeIntermediateSize = 32, IntermediateSize = 96,
    };

    private static readonly Dictionary<string, ModelConfig> Configs = new()
    {
        ["wide"] = Wide,
        // All rows are multiples of 16, not of 32: hidden_size is 48.
        ["narrow"] = TestConfigs.QueryLora with { QLoraRank = 32, MoeIntermediateSize = 32, FirstKDenseReplace = 1 },
        ["tied"] = Wide with { TieWordEmbeddings = true, NSharedExperts = 0 },
        ["dense"] = TestConfigs.LatentDense,
        ["glm"] = TestConfigs.Glm4Moe with { MoeIntermediateSize = 48 },
    };

    public static TheoryData<string, string> Packages()
    {
        var data = new TheoryData<string, string>();
        foreach (string precision in new[] { "f16", "bf16", "int8", "int4" })
        {
            foreach (string config in Configs.Keys)
            {
                data.Add(precision, config);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Run_EveryPrecision_ComputesWithTheValuesThatItStores(string precision, string name)
    {
        using var folder = new CheckpointFolder(Configs[name]);

        var result = Exporter.Run(folder.Options with { Precision = precision });

        Assert.True(result.Parity!.Passed);
        Assert.All(result.Parity.Lines, line => Assert.InRange(line.Relative, 0, 3e-6));
        Assert.Equal(5 * (1 + 2 * folder.Config.NumHiddenLayers), result.Parity.Lines.Count);
        AssertLogits(folder, 3e-6);
        Assert.Equal(9, Directory.EnumerateFileSystemEntries(folder.Output).Count());
    }

    [Theory]
    [InlineData("f32", "wide")]
    [InlineData("bf16", "tied")]
    [InlineData("int4", "narrow")]
    public void Run_HalfCache_StaysNearTheFloatCache(string precision, string name)
    {
        using var folder = new CheckpointFolder(Configs[name]);

        var parity = Exporter.Run(folder.Options with { Precision = precision, Cache = "f16" }).Parity!;

        Assert.Equal(Measure.RootMeanSquare, parity.Measure);
        Assert.All(parity.Lines, line => Assert.InRange(line.Relative, 1e-9, 1e-3));
        AssertLogits(folder, 5e-3);
        var graph = PackageWeights.Open(folder.Output).Model.Graph;
        Assert.All(graph.Input.Where(i => i.Name.StartsWith("past_key_values.", StringComparison.Ordinal)), i => Assert.Equal((int)DataType.Float16, i.Type.TensorType.ElemType));
        Assert.All(graph.Output.Where(o => o.Name != "logits"), o => Assert.Equal((int)DataType.Float16, o.Type.TensorType.ElemType));
        Assert.Equal((int)DataType.Float, graph.Output.Single(o => o.Name == "logits").Type.TensorType.ElemType);
    }

    [Theory]
    [InlineData("f16", DataType.Float16, DataType.Float16)]
    [InlineData("bf16", DataType.Bfloat16, DataType.Bfloat16)]
    [InlineData("int8", DataType.Int8, DataType.Float16)]
    [InlineData("int4", DataType.Uint8, DataType.Float16)]
    public void Run_EveryPrecision_StoresEachTensorInItsFormat(string precision, object matrices, object tables)
    {
        using var folder = new CheckpointFolder(Wide);
        Exporter.Run(folder.Options with { Precision = precision });
        var weights = PackageWeights.Open(folder.Output);
        string p = "model.layers.0.";
        Assert.All(new[] { p + "self_attn.q_proj.weight", p + "mlp.experts.gate_up_proj", p + "mlp.shared_experts.down_proj.weight", "lm_head.weight" },
            name => Assert.Equal(matrices, weights.Type(name)));
        Assert.All(new[] { "model.embed_tokens.weight", p + "self_attn.kv_b_proj.weight" }, name => Assert.Equal(tables, weights.Type(name)));
        Assert.All(new[] { "model.norm.weight", p + "mlp.gate.weight", p + "mlp.gate.e_score_correction_bias", "rotary.cos" },
            name => Assert.Equal(DataType.Float, weights.Type(name)));
    }

    [Theory]
    [InlineData("wide", 32)]
    [InlineData("narrow", 16)]
    public void Run_Quantised_NamesTheBlockOnEveryNode(string name, long block)
    {
        using var folder = new CheckpointFolder(Configs[name]);
        Exporter.Run(folder.Options with { Precision = "int8" });
        var graph = PackageWeights.Open(folder.Output).Model.Graph;
        var nodes = graph.Node.Where(n => n.OpType is "LinearInt8" or "MoEExpertsInt8").ToList();
        Assert.Contains(nodes, n => n.OpType == "MoEExpertsInt8");
        Assert.All(nodes, n => Assert.Equal(block, n.Attribute.Single(a => a.Name == "block_size").I));
        Assert.DoesNotContain(graph.Node, n => n.OpType is "Linear" or "MoEExperts");
        foreach (var node in nodes)
        {
            Assert.All(node.Input.Select((input, i) => (input, i)).Where(pair => pair.input.EndsWith("_scales", StringComparison.Ordinal)),
                pair => Assert.Equal(pair.input, node.Input[pair.i - 1] + "_scales"));
        }
    }

    [Fact]
    public void Run_TiedHead_IsTheEmbeddingInFloat16()
    {
        using var folder = new CheckpointFolder(Configs["tied"]);
        Exporter.Run(folder.Options with { Precision = "int4" });
        var weights = PackageWeights.Open(folder.Output);
        var head = weights.Model.Graph.Node.Single(n => n.Output[0] == "logits");
        Assert.Equal(("Linear", "model.embed_tokens.weight", DataType.Float16), (head.OpType, head.Input[1], weights.Type(head.Input[1])));
    }

    [Theory]
    [InlineData("int8")]
    [InlineData("int4")]
    public void Run_RowsOfOddLength_AreRefusedByName(string precision)
    {
        using var folder = new CheckpointFolder();
        string message = folder.Fails<CheckpointException>(folder.Options with { Precision = precision }).Message;
        Assert.Contains("tensor model.layers.0.mlp.experts.0.down_proj.weight has rows of 20 elements", message, StringComparison.Ordinal);
        Assert.Contains("--precision=f32, f16 or bf16", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_HalfCacheOfATwin_IsRefused()
    {
        using var folder = new CheckpointFolder(TestConfigs.Llama);
        Assert.Contains("--cache=f32", folder.Fails<CheckpointException>(folder.Options with { Cache = "f16" }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnknownCache_NamesTheKnownOnes()
    {
        using var folder = new CheckpointFolder();
        Assert.Contains("one of: f32, f16", folder.Fails<CheckpointException>(folder.Options with { Cache = "int8" }).Message, StringComparison.Ordinal);
    }

    // Against the decoder in float64 with the package's own numbers.
    private static void AssertLogits(CheckpointFolder folder, double limit)
    {
        var decoder = new ReferenceDecoder(folder.Config, PackageWeights.Open(folder.Output).Values(folder.Config));
        long[] ids = [0, 17, 90, 4, 33, 120, 8, 200, 71];
        using var session = new DecoderSession(folder.Output, folder.Config, GraphOptimizationLevel.ORT_ENABLE_ALL);
        double[] expected = decoder.Logits(ids);
        Close.Assert("logits, whole", expected, session.Decode(ids, 1, [ids.Length]).Logits, limit);
        Close.Assert("logits, step by step", expected, session.Decode(ids, 1, [.. ids.Select(_ => 1)], room: 12).Logits, limit);
    }
}
