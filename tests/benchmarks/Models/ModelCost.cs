using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Benchmarks.Models;

/// <summary>
/// What one run must read and compute at least, from the shapes in the graph: every weight that is used once a run, a routed expert
/// once where any token chose it, the cache's columns once a row; two operations a weight and token.
/// </summary>
internal sealed class ModelCost
{
    private readonly PackageModel model;
    private readonly List<Attention> attentions = [];
    private long denseFlops, headFlops;

    public ModelCost(PackageModel model)
    {
        this.model = model;
        var used = new HashSet<string>();
        foreach (var node in model.Proto.Graph.Node)
        {
            Count(node, used);
        }
        FixedBytes = used.Sum(name => Bytes(model.Initializers[name]));
    }

    /// <summary>Bytes of the weights that every run reads.</summary>
    public long FixedBytes { get; }

    /// <summary>Bytes of one routed expert of one layer.</summary>
    public long ExpertBytes { get; private set; }

    /// <summary>Routed experts over all layers.</summary>
    public int Experts { get; private set; }

    /// <summary>Bytes that one token of a case moves, with the mean number of experts that a run touches over all layers.</summary>
    public double BytesPerToken(Case point, double expertsPerRun)
    {
        double weights = (FixedBytes + expertsPerRun * ExpertBytes) / ((double)point.Batch * point.Sequence);
        double columns = point.Phase == Case.Prefill ? 1 : point.MeanColumns; // a prefill's own columns are warm
        return weights + columns * model.CacheBytesPerToken;
    }

    /// <summary>Bytes that all runs of a timing touch.</summary>
    public double WorkingSet(Case point, double experts) => FixedBytes + experts * ExpertBytes
        + (double)point.Batch * (point.Start + point.Sequence * point.Steps) * model.CacheBytesPerToken;

    /// <summary>Floating-point operations that one token of a case takes.</summary>
    public double FlopsPerToken(Case point) =>
        denseFlops + (double)headFlops / point.Sequence + attentions.Sum(a => a.Flops(point));

    private void Count(NodeProto node, HashSet<string> used)
    {
        string[] weights = [.. node.Input.Where(name => model.Initializers.TryGetValue(name, out var tensor) && tensor.Dims.Count > 0)];
        switch (node.OpType)
        {
            case "Gather": // a row of the embedding, unless the head reads all of it
                return;
            case "MoEExperts" or "MoEExpertsInt8" or "MoEExpertsInt4":
                CountExperts(node, used);
                return;
            case "LatentAttention":
                attentions.Add(Attention.Latent(node));
                break;
            case "GroupQueryAttention":
                attentions.Add(Attention.Grouped(node, model.Width));
                weights = [];
                break;
            case "Linear" or "LinearInt8" or "LinearInt4" or "MoERouter":
                var matrix = model.Initializers[node.Input[1]];
                long flops = 2 * Elements(matrix, node.OpType);
                (denseFlops, headFlops) = node.Output[0] is "logits" or "head/logits" ? (denseFlops, headFlops + flops) : (denseFlops + flops, headFlops);
                break;
        }
        used.UnionWith(weights.Where(name => !IsRotary(node, name)));
    }

    // Inputs x, experts, weights, then gate_up and down, each with its scales where quantised; the shared experts' likewise.
    private void CountExperts(NodeProto node, HashSet<string> used)
    {
        string[] weights = [.. node.Input.Skip(3).Where(name => name.Length > 0)];
        int routed = node.OpType == "MoEExperts" ? 2 : 4, each = routed / 2;
        int experts = (int)model.Initializers[weights[0]].Dims[0];
        long topK = model.Proto.Graph.Node.Single(n => n.Output.Contains(node.Input[1])).Attribute.Single(a => a.Name == "top_k").I;
        ExpertBytes = weights.Take(routed).Sum(name => Bytes(model.Initializers[name])) / experts;
        Experts += experts;
        used.UnionWith(weights.Skip(routed));
        for (int i = 0; i < weights.Length; i += each)
        {
            long flops = 2 * Elements(model.Initializers[weights[i]], node.OpType);
            denseFlops += i < routed ? flops / experts * topK : flops;
        }
    }

    // Of the tables cos and sin, a token reads one row.
    private static bool IsRotary(NodeProto node, string name) =>
        node.OpType == "LatentAttention" && (node.Input[4] == name || node.Input[5] == name);

    // int4 packs two weights in a byte.
    private static long Elements(TensorProto tensor, string op) =>
        tensor.Dims.Aggregate(1L, (product, extent) => product * extent) * (op.EndsWith("Int4", StringComparison.Ordinal) ? 2 : 1);

    private static long Bytes(TensorProto tensor) =>
        tensor.Dims.Aggregate(1L, (product, extent) => product * extent) * (DataType)tensor.DataType switch
        {
            DataType.Float or DataType.Int32 => 4,
            DataType.Float16 or DataType.Bfloat16 => 2,
            DataType.Int8 or DataType.Uint8 => 1,
            DataType.Int64 => 8,
            var other => throw new NotSupportedException($"{tensor.Name} is {other}; expected a type of the pipeline's weights."),
        };
}
