using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>
/// Multi-head latent attention with its cache (arXiv 2405.04434, section 2.1): q [B, S, H(dn+dr)], kv [B, S, r+dr], kv_norm [r],
/// kv_b [H(dn+dv), r], cos and sin [max, dr/2], position_ids [B, S], attention_mask [B, T], past_key and past_value [B, 1, P, w/2]
/// → out [B, S, H·dv], present_key and present_value [B, 1, max(P, T), w/2], where w = r+dr is the width of a token's cached row
/// [latent ; rotated key]. kv_b is of any float type. q, kv and out are of the type of the activations, which is also the cache's, but
/// that float32 activations may have a float16 cache; norm, cosines and sines are float32. The body is built for the types of the model.
/// </summary>
internal sealed partial class LatentAttention(
    ModelConfig config, WeightFormat? expansion = null, DataType cache = DataType.Float, DataType activations = DataType.Float) : Operator
{
    // Added to the scores of columns that a query may not see; finite, so that a row without any stays finite.
    private const double Masked = -3e38;
    private readonly WeightFormat expansion = expansion ?? WeightFormat.Float32;
    private readonly int heads = config.NumAttentionHeads, nope = config.QkNopeHeadDim, rope = config.QkRopeHeadDim,
        value = config.VHeadDim, rank = config.KvLoraRank, width = config.KvLoraRank + config.QkRopeHeadDim;

    public override string Name => "LatentAttention";

    public override IReadOnlyList<string> Inputs =>
        ["q", "kv", "kv_norm", "kv_b", "cos", "sin", "position_ids", "attention_mask", "past_key", "past_value"];

    public override IReadOnlyList<string> Outputs => ["out", "present_key", "present_value"];

    public override IReadOnlyList<AttributeProto> Attributes =>
    [
        NodeAttribute.Int("num_heads", heads),
        NodeAttribute.Int("qk_nope_head_dim", nope),
        NodeAttribute.Int("qk_rope_head_dim", rope),
        NodeAttribute.Int("v_head_dim", value),
        NodeAttribute.Int("kv_lora_rank", rank),
        NodeAttribute.Float("scale", config.AttentionScale),
        NodeAttribute.Float("epsilon", config.LatentNormEps),
        NodeAttribute.Flag("rope_interleave", config.RopeInterleave),
    ];

    /// <summary>
    /// From this many new tokens on, expanding keys and values of every head costs fewer operations than attending over the latent
    /// (for caches much longer than the latent is wide); null where it never does.
    /// </summary>
    public int? FullFormFrom => 2 * rank > nope + value ? Math.Max(2, (rank * (nope + value) - 1) / (2 * rank - nope - value) + 1) : null;

    protected override string[] Body(NodeList f)
    {
        // Rotary positions: the query heads and the one key turn together.
        string position = f.Max("position_ids", f.Int(0));
        string cos = f.Unsqueeze(f.Gather("cos", position), 1), sin = f.Unsqueeze(f.Gather("sin", position), 1); // (B, 1, S, dr/2)
        string query = f.Reshape(f.Widen("q", activations), 0, 0, heads, nope + rope); // (B, S, H, dn+dr)
        string[] q = f.Split(f.Transpose(query, 0, 2, 1, 3), 3, nope, rope); // (B, H, S, dn), (B, H, S, dr)
        string[] kv = f.Split(f.Widen("kv", activations), 2, rank, rope); // (B, S, r), (B, S, dr)
        string latent = f.Unsqueeze(f.RmsNorm(kv[0], "kv_norm", config.LatentNormEps), 1); // (B, 1, S, r)
        string turned = f.Rope(f.Concat(1, q[1], f.Unsqueeze(kv[1], 1)), cos, sin, rope, config.RopeInterleave); // (B, H+1, S, dr)
        string[] ropes = f.Split(turned, 1, heads, 1);

        // The position of a live token, −1 for a dead one: its slot.
        string slot = f.Where(Live(f), "position_ids", f.Int(-1)); // (B, S)
        // The cached row is kept as two halves, named key and value.
        string[] row = f.Split(f.Concat(3, latent, ropes[1]), 3, width / 2, width / 2); // (B, 1, S, w/2) each
        string indices = Indices(f, slot), missing = Missing(f);
        // (B, 1, columns + 1, w/2) each
        string[] buffers = [Write(f, "past_key", missing, indices, row[0]), Write(f, "past_value", missing, indices, row[1])];
        string[] present = [.. buffers.Select(buffer => Stored(f, f.Slice(buffer, f.Ints(0), f.Ints(-1), 2)))];

        // Nothing beyond the largest slot is ever seen.
        string seen = f.Max(f.Add(f.ReduceMax(f.Reshape(slot, -1), keep: true, 0), f.Ints(1)), f.Ints(1)); // M
        string[] attended = [.. buffers.Select(buffer => Read(f, f.Slice(buffer, f.Ints(0), seen, 2)))]; // (B, 1, M, w/2)
        string columns = f.Range(f.Int(0), f.Squeeze(seen, 0));
        string visible = f.LessOrEqual(columns, f.Unsqueeze("position_ids", 2)); // (B, S, M)
        string bias = f.Unsqueeze(f.Where(visible, f.Float(0), f.Float(Masked)), 1); // (B, 1, S, M)

        var parts = new Parts(q[0], ropes[0], expansion.Widen(f, ["kv_b"], 2), attended, bias);
        string tokens = f.Squeeze(f.Shape("position_ids", 1, 2), 0);
        string values = FullFormFrom is int limit
            ? f.If(f.GreaterOrEqual(tokens, f.Int(limit)), g => Full(g, parts), g => Absorbed(g, parts))
            : Absorbed(f, parts);
        string joined = f.Reshape(f.Transpose(values, 0, 2, 1, 3), 0, 0, heads * value); // (B, S, H·dv)
        return [f.Narrow(joined, activations), .. present];
    }
}
