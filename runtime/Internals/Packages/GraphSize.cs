using LatentMoE.Checkpoints;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>
/// Counts a graph's weights as <see cref="ModelSize"/> counts those of a configuration: by what the nodes do with them. A tensor counts
/// once however many nodes read it; rotary tables and the scales of quantised matrices are no parameters.
/// </summary>
internal sealed class GraphSize
{
    private readonly OnnxGraph _graph;
    private readonly Dictionary<string, Int128> _all = [], _matrices = [], _vectors = [];

    private GraphSize(OnnxGraph graph)
    {
        _graph = graph;
        foreach (var node in graph.Nodes)
        {
            Count(node);
        }
    }

    /// <param name="cacheNumbers">Numbers that a token takes in the cache.</param>
    /// <exception cref="CheckpointException">The numbers are too large to count.</exception>
    public static ModelSize Of(OnnxGraph graph, Int128 cacheNumbers)
    {
        var size = new GraphSize(graph);
        Int128 products = Sum(size._matrices.Values);
        return new ModelSize(Whole(Sum(size._all.Values)), Whole(products + Sum(size._vectors.Values)), Whole(2 * products), CacheSize.Whole(graph, cacheNumbers));

        long Whole(Int128 count) => GraphSize.Whole(graph.FilePath, "weights", count);
    }

    /// <summary>Bytes of all constants, wherever they lie.</summary>
    /// <exception cref="CheckpointException">They are too many to count.</exception>
    public static long Bytes(OnnxGraph graph) => Whole(graph.FilePath, "bytes of the weights", Sum(graph.Initializers.Values.Select(
        t => t.External is null ? t.InlineBytes : t.External.Length ?? (Int128)t.Elements * ElementBytes(t.Type))));

    /// <summary>A count that the sizes in a file led to.</summary>
    /// <exception cref="CheckpointException">It is larger than there can be.</exception>
    public static long Whole(string path, string what, Int128 count) => count <= long.MaxValue ? (long)count
        : throw new CheckpointException($"{path}: the {what} would be {count}, more than there can be. The package is damaged: copy it again, or export it again.");

    public static int ElementBytes(TensorElementType type) => type switch
    {
        TensorElementType.Double or TensorElementType.Int64 or TensorElementType.UInt64 => 8,
        TensorElementType.Float or TensorElementType.Int32 or TensorElementType.UInt32 => 4,
        TensorElementType.Float16 or TensorElementType.BFloat16 or TensorElementType.Int16 or TensorElementType.UInt16 => 2,
        _ => 1,
    };

    /// <summary>The most elements that a byte can hold: the types after bfloat16 and the floats of eight bits may take two bits.</summary>
    public static int PerByte(TensorElementType type) => (int)type > 20 ? 4 : 1;

    private void Count(OnnxNode node)
    {
        switch (node.Type)
        {
            case "Linear" or "LinearInt8" or "LinearInt4":
                Matrix(node, 1);
                break;
            case "MoERouter": // x, gate, bias: the bias moves the choice and is no product
                Matrix(node, 1);
                Add(_all, node, 2);
                break;
            case "MoEExperts" or "MoEExpertsInt8" or "MoEExpertsInt4":
                CountExperts(node);
                break;
            case "LatentAttention": // q, kv, kv_norm, kv_b, cos, sin
                Vector(node, 2);
                Matrix(node, 3);
                break;
            case "GroupQueryAttention": // its tables of cosines and sines
                break;
            case "Gather": // a row of the embedding
                Add(_all, node, 0);
                break;
            default:
                foreach (int input in Enumerable.Range(0, node.Inputs.Count))
                {
                    if (Find(node, input) is { Dims.Count: > 1 })
                    {
                        Matrix(node, input);
                    }
                    else
                    {
                        Vector(node, input);
                    }
                }
                break;
        }
    }

    // x, experts, weights, then gate_up and down of the routed and of the shared experts, each with its scales where quantised.
    private void CountExperts(OnnxNode node)
    {
        int step = node.Type == "MoEExperts" ? 1 : 2;
        var router = _graph.Routers.FirstOrDefault(r => r.Outputs.Contains(node.Inputs.ElementAtOrDefault(1) ?? "")) ?? throw _graph.Wrong(node, "has no router");
        long chosen = _graph.Int(router, "top_k"), experts = _graph.Weight(router, 1).Dims[0];
        for (int i = 0; i < 4; i++)
        {
            Matrix(node, 3 + i * step, i < 2 ? chosen : 1, i < 2 ? experts : 1);
        }
    }

    private void Matrix(OnnxNode node, int input, long chosen = 1, long of = 1)
    {
        Add(_all, node, input);
        Add(_matrices, node, input, chosen, of);
    }

    private void Vector(OnnxNode node, int input)
    {
        Add(_all, node, input);
        Add(_vectors, node, input);
    }

    private void Add(Dictionary<string, Int128> counts, OnnxNode node, int input, long chosen = 1, long of = 1)
    {
        if (Find(node, input) is { } tensor)
        {
            long packed = node.Type.EndsWith("Int4", StringComparison.Ordinal) ? 2 : 1; // weights in a byte
            counts[tensor.Name] = (Int128)tensor.Elements * packed / of * chosen;
        }
    }

    private static Int128 Sum(IEnumerable<Int128> counts) => counts.Aggregate(Int128.Zero, (sum, count) => sum + count);

    // A weight; not the small constants of a graph's arithmetic.
    private OnnxTensor? Find(OnnxNode node, int input) =>
        input < node.Inputs.Count && _graph.Initializers.TryGetValue(node.Inputs[input], out var tensor)
        && tensor.Dims.Count > 0 && tensor.Type is not (TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool) ? tensor : null;
}
