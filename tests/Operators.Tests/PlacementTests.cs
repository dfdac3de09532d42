using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Sources;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>
/// A decode step is captured as a CUDA graph only if nothing is copied between host and device in it. This follows a graph's values as
/// ONNX Runtime places them: what is computed from extents alone stays on the host, all else runs on the device.
/// </summary>
public sealed class PlacementTests
{
    // Operators with a CUDA kernel, and those of their inputs that the kernel reads on the host.
    private static readonly Dictionary<string, int[]> OnDevice = new()
    {
        ["Add"] = [], ["Cast"] = [], ["Div"] = [], ["Gather"] = [], ["Mul"] = [], ["Pow"] = [], ["ReduceMean"] = [1], ["Reshape"] = [1], ["Sigmoid"] = [],
        ["Slice"] = [1, 2, 3, 4], ["Sqrt"] = [], ["Shape"] = [],
    };

    public static TheoryData<string, string, string> Packages { get; } = new()
    {
        { "LatentMoE", "f32", "f32" }, { "LatentDense", "f32", "f32" }, { "LatentMoE", "f16", "f16" }, { "LatentDense", "int4", "f16" },
        { "LatentMoE", "int4", "f16" }, { "LatentMoE", "int8", "f16" }, { "LatentMoE", "bf16", "bf16" }, { "LatentDense", "int8", "bf16" },
    };

    [Theory]
    [MemberData(nameof(Packages))]
    public void Step_NeedsNoCopyBetweenHostAndDevice(string family, string precision, string activations)
    {
        var graph = Build(family, precision, activations);
        var problems = Problems(graph);
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    [Fact]
    public void Problems_AComputedStart_IsNamed()
    {
        var graph = Build("LatentMoE", "f32", "f32");
        var slice = graph.Node.Single(node => node.OpType == "Slice");
        slice.Input[1] = "position_ids";
        Assert.Contains(Problems(graph), problem => problem.Contains("position_ids") && problem.Contains("Slice"));
    }

    [Fact]
    public void Problems_AnOperatorWithoutAKernel_IsNamed()
    {
        var graph = Build("LatentMoE", "f32", "f32");
        graph.Node.First(node => node.OpType == "Gather").OpType = "NonZero";
        Assert.Contains(Problems(graph), problem => problem.Contains("NonZero"));
    }

    private static GraphProto Build(string family, string precision, string activations)
    {
        using var folder = new TemporaryFolder();
        var config = TestConfigs.All[family] with { KvLoraRank = 32 };
        config = config.IsMoE ? config with { MoeIntermediateSize = 48 } : config;
        RandomCheckpoint.Write(folder.Path, config, seed: 5, rows: 1, tokens: 1);
        using var tensors = CheckpointTensors.Open(folder.Path);
        var type = FloatTypes.Of(activations);
        return DecoderGraph.Build(config, new CheckpointWeights(tensors, config), Precision.Of(precision, config, type), type, type).Model.Graph;
    }

    private static List<string> Problems(GraphProto graph)
    {
        var weights = graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        var host = new HashSet<string>(); // computed there
        var problems = new List<string>();
        foreach (var node in graph.Node)
        {
            bool OfHost(string name) => name == "" || weights.Contains(name) || host.Contains(name);
            string title = $"{node.OpType} '{node.Name}' ({string.Join(", ", node.Output)})";
            if (node.OpType == "Constant")
            {
                weights.UnionWith(node.Output);
            }
            else if (node.OpType == "Shape" || (node.Input.All(OfHost) && node.Input.Any(host.Contains)))
            {
                host.UnionWith(node.Output);
            }
            else if (node.Domain != "latentmoe" && !OnDevice.ContainsKey(node.OpType))
            {
                problems.Add($"{title} is an operator that is not known to have a CUDA kernel");
            }
            else
            {
                int[] read = node.Domain == "" ? OnDevice[node.OpType] : [];
                foreach (var (name, i) in node.Input.Select((name, i) => (name, i)).Where(input => read.Contains(input.i) ? !OfHost(input.name) : host.Contains(input.name)))
                {
                    problems.Add($"{title} reads {name} on the {(read.Contains(i) ? "host, but the device" : "device, but the host")} computes it");
                }
            }
        }
        return problems;
    }
}
