using LatentMoE.Export.Onnx;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>A small valid node of every operator and combination of element types that the library registers.</summary>
internal static class RawNodes
{
    public const int Tokens = 4, Width = 32, Experts = 6, Heads = 2, Nope = 4, Rope = 4, Value = 6, Rank = 12, Positions = 24;

    private static readonly (DataType Type, string Suffix)[] Weights =
        [(DataType.Float, ""), (DataType.Bfloat16, ""), (DataType.Float16, ""), (DataType.Int8, "Int8"), (DataType.Uint8, "Int4")];

    private static readonly DataType[] Floats = [DataType.Float, DataType.Bfloat16, DataType.Float16];

    public static IReadOnlyDictionary<string, RawNode> All { get; } = Every().ToDictionary(n => n.Name, n => n.Node);

    public static RawNode Linear(DataType type = DataType.Float, DataType activations = DataType.Float) => new("Linear" + Suffix(type), Block(type),
        [("x", Random(2, 3, Width).As(activations)), .. Weight("weight", type, 8, Width)], [("y", activations)]);

    public static RawNode Router(DataType activations = DataType.Float) => new("MoERouter",
        [
            NodeAttribute.Int("top_k", 3), NodeAttribute.Text("scoring_func", "sigmoid"), NodeAttribute.Flag("norm_topk_prob", true),
            NodeAttribute.Float("routed_scaling_factor", 1.5), NodeAttribute.Int("n_group", 3), NodeAttribute.Int("topk_group", 2),
            NodeAttribute.Text("topk_method", "noaux_tc"),
        ],
        [("x", Random(Tokens, Width).As(activations)), ("gate", Random(Experts, Width)), ("bias", Random(Experts)), ("position_ids", Tensor.Of([0L, 1, -1, 7], Tokens))],
        [("experts", DataType.Int32), ("weights", DataType.Float)]);

    public static RawNode MoE(DataType type = DataType.Float, bool shared = true, DataType activations = DataType.Float) => new("MoEExperts" + Suffix(type), Block(type),
        [
            ("x", Random(Tokens, Width).As(activations)), ("experts", Tensor.Of([0, 5, 1, -1, -1, -1, 2, 3], Tokens, 2)), ("weights", Random(Tokens, 2)),
            .. Weight("gate_up", type, Experts, 64, Width), .. Weight("down", type, Experts, Width, 32),
            .. shared ? [.. Weight("shared_gate_up", type, 128, Width), .. Weight("shared_down", type, Width, 64)] : Array.Empty<(string, Tensor?)>(),
        ],
        [("y", activations)]);

    /// <summary>x has the rows of MoEExperts, the residual those of two batch rows.</summary>
    public static RawNode AddNorm(DataType activations = DataType.Float) => new("AddRmsNorm", [NodeAttribute.Float("epsilon", 1e-6)],
        [("x", Random(6, Width).As(activations)), ("residual", Random(2, 3, Width).As(activations)), ("gain", Random(Width))], [("y", activations), ("sum", activations)]);

    /// <summary>Two rows of sixteen logits, the first greedy.</summary>
    public static RawNode Select(DataType activations = DataType.Float) => new("SelectToken", [],
        [
            ("logits", Random(2, 16).As(activations)), ("temperature", Tensor.Of([0f, 0.7f], 2)), ("top_k", Tensor.Of([0, 9], 2)), ("top_p", Tensor.Of([1f, 0.9f], 2)),
            ("min_p", Tensor.Of([0f, 0.05f], 2)), ("uniform", Tensor.Of([0f, 0.6f], 2)), ("positions", Tensor.Of([3L, -1], 2, 1)),
        ],
        [("token", DataType.Int64), ("next_positions", DataType.Int64)]);

    /// <summary>Two rows of three tokens over a cache of five columns.</summary>
    public static RawNode Attention(DataType type = DataType.Float, DataType cache = DataType.Float, DataType activations = DataType.Float) => new("LatentAttention",
        [
            NodeAttribute.Int("num_heads", Heads), NodeAttribute.Int("qk_nope_head_dim", Nope), NodeAttribute.Int("qk_rope_head_dim", Rope),
            NodeAttribute.Int("v_head_dim", Value), NodeAttribute.Int("kv_lora_rank", Rank), NodeAttribute.Float("scale", 0.3),
            NodeAttribute.Float("epsilon", 1e-6), NodeAttribute.Flag("rope_interleave", true),
        ],
        [
            ("q", Random(2, 3, Heads * (Nope + Rope)).As(activations)), ("kv", Random(2, 3, Rank + Rope).As(activations)), ("kv_norm", Random(Rank)),
            .. Weight("kv_b", type, Heads * (Nope + Value), Rank), ("cos", Random(Positions, Rope / 2)), ("sin", Random(Positions, Rope / 2)),
            ("position_ids", Tensor.Of([5L, 6, 7, 2, 3, -1], 2, 3)), ("attention_mask", Tensor.Of([.. Enumerable.Repeat(1L, 16)], 2, 8)),
            ("past_key", Zeros(cache, 2, 1, 5, (Rank + Rope) / 2)), ("past_value", Zeros(cache, 2, 1, 5, (Rank + Rope) / 2)),
        ],
        [("out", activations), ("present_key", cache), ("present_value", cache)]);

    public static Tensor Zeros(DataType type, params long[] shape)
    {
        int size = type switch
        {
            DataType.Int64 => 8,
            DataType.Float or DataType.Int32 => 4,
            DataType.Float16 or DataType.Bfloat16 => 2,
            _ => 1,
        };
        return new(type, shape, new byte[shape.Aggregate(1L, (a, b) => a * b) * size]);
    }

    private static IEnumerable<(string Name, RawNode Node)> Every()
    {
        foreach (var (type, _) in Weights)
        {
            foreach (var activations in Floats.Where(activations => activations == DataType.Float || activations == type || Quantised(type)))
            {
                yield return ($"Linear {type} with {activations}", Linear(type, activations));
                yield return ($"MoEExperts {type} with {activations}", MoE(type, activations: activations));
                yield return ($"MoEExperts {type} with {activations}, without shared experts", MoE(type, shared: false, activations));
            }
        }
        foreach (var activations in Floats)
        {
            yield return ($"MoERouter with {activations}", Router(activations));
            yield return ($"AddRmsNorm with {activations}", AddNorm(activations));
            yield return ($"SelectToken of {activations}", Select(activations));
        }
        foreach (var type in Floats)
        {
            yield return ($"LatentAttention {type}", Attention(type));
            yield return ($"LatentAttention {type}, float16 cache", Attention(type, DataType.Float16));
        }
        yield return ("LatentAttention Float16 with Float16", Attention(DataType.Float16, DataType.Float16, DataType.Float16));
        yield return ("LatentAttention Float16 with Bfloat16", Attention(DataType.Float16, DataType.Bfloat16, DataType.Bfloat16));
        yield return ("LatentAttention Bfloat16 with Bfloat16", Attention(DataType.Bfloat16, DataType.Bfloat16, DataType.Bfloat16));
    }

    private static string Suffix(DataType type) => Weights.Single(w => w.Type == type).Suffix;

    private static bool Quantised(DataType type) => Suffix(type).Length > 0;

    private static AttributeProto[] Block(DataType type) => Quantised(type) ? [NodeAttribute.Int("block_size", 32)] : [];

    private static Tensor Random(params long[] shape) => Tensor.Random(new RandomNumbers((int)shape.Sum()), 1, shape);

    // Zeros, which every type has: what kernels compute is the matter of other tests.
    private static (string Name, Tensor? Value)[] Weight(string name, DataType type, params long[] shape)
    {
        long columns = shape[^1];
        (string, Tensor?) stored = (name, Zeros(type, [.. shape[..^1], type == DataType.Uint8 ? columns / 2 : columns]));
        return Quantised(type) ? [stored, (name == "weight" ? "scales" : name + "_scales", Zeros(DataType.Float16, [.. shape[..^1], columns / 32]))] : [stored];
    }
}
