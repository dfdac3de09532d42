using LatentMoE.Export.Onnx;

namespace LatentMoE.Benchmarks.Models;

/// <summary>
/// Operations of one attention layer for one token. Latent attention absorbs kv_b into query and output, or expands latents to keys
/// and values: dearer a token where they lie in the cache, but cheaper a column where the run brings them itself.
/// </summary>
/// <param name="Token">For the token itself.</param>
/// <param name="CachedColumn">For each column that lies in the cache.</param>
/// <param name="NewColumn">For each column of the run's own tokens.</param>
internal sealed record Attention(long Token, long CachedColumn, long NewColumn)
{
    public double Flops(Case point) => Token + point.MeanColumns * (point.Phase == Case.Prefill ? NewColumn : CachedColumn);

    public static Attention Latent(NodeProto node)
    {
        long heads = Of("num_heads"), rank = Of("kv_lora_rank");
        long nope = Of("qk_nope_head_dim"), rope = Of("qk_rope_head_dim"), v = Of("v_head_dim");
        long absorbed = 2 * heads * (rank + rope + rank), expanded = 2 * heads * (nope + rope + v);
        return new(2 * heads * rank * (nope + v), absorbed, Math.Min(absorbed, expanded));

        long Of(string name) => node.Attribute.Single(a => a.Name == name).I;
    }

    public static Attention Grouped(NodeProto node, int width)
    {
        long column = 4 * node.Attribute.Single(a => a.Name == "num_heads").I * width;
        return new(0, column, column);
    }
}
