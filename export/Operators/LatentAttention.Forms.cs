using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Operators;

// Two forms of the same sum. Full: keys and values of every head are expanded from the latent. Absorbed: the expansion of keys
// moves into the query and that of values behind the sum, so that all heads attend over the cached rows themselves.
internal sealed partial class LatentAttention
{
    /// <param name="Nope">(B, H, S, dn)</param>
    /// <param name="Rope">(B, H, S, dr), rotated</param>
    /// <param name="Expand">(H(dn+dv), r)</param>
    /// <param name="Rows">The halves of the cached rows, (B, 1, M, w/2) each</param>
    /// <param name="Bias">(B, 1, S, M)</param>
    private sealed record Parts(string Nope, string Rope, string Expand, string[] Rows, string Bias);

    private string Scale(NodeList f, string query) => f.Mul(query, f.Float(config.AttentionScale));

    private string Absorbed(NodeList f, Parts p)
    {
        string[] expand = f.Split(f.Reshape(p.Expand, heads, nope + value, rank), 1, nope, value); // (H, dn, r), (H, dv, r)
        string query = Scale(f, f.Concat(3, f.MatMul(p.Nope, expand[0]), p.Rope)); // (B, H, S, w)
        // One key serves all heads, so they fold into rows.
        string[] folded = f.Split(f.Reshape(query, 0, 1, -1, width), 3, width / 2, width / 2); // (B, 1, H·S, w/2)
        string Score(int half) => f.MatMul(folded[half], f.Transpose(p.Rows[half], 0, 1, 3, 2)); // (B, 1, H·S, M)
        string scores = f.Add(Score(0), Score(1));
        string byHead = f.Reshape(scores, f.Concat(0, f.Ints(0, heads), f.Shape("position_ids", 1, 2), f.Ints(-1))); // (B, H, S, M)
        string weights = f.Reshape(f.Softmax(f.Add(byHead, p.Bias)), f.Shape(scores));
        string sums = f.Concat(3, f.MatMul(weights, p.Rows[0]), f.MatMul(weights, p.Rows[1])); // (B, 1, H·S, w)
        string context = f.Slice(sums, f.Ints(0), f.Ints(rank), 3); // (B, 1, H·S, r)
        return f.MatMul(f.Reshape(context, 0, heads, -1, rank), f.Transpose(expand[1], 0, 2, 1)); // (B, H, S, dv)
    }

    private string Full(NodeList f, Parts p)
    {
        string[] rows = f.Split(f.Concat(3, p.Rows), 3, rank, rope); // (B, 1, M, r), (B, 1, M, dr)
        string expand = f.Transpose(f.Reshape(p.Expand, heads, nope + value, rank), 0, 2, 1); // (H, r, dn+dv)
        string[] kv = f.Split(f.MatMul(rows[0], expand), 3, nope, value); // (B, H, M, dn), (B, H, M, dv)
        string key = f.Concat(3, kv[0], f.Expand(rows[1], f.Ints(1, heads, 1, 1))); // (B, H, M, dn+dr)
        string query = Scale(f, f.Concat(3, p.Nope, p.Rope));
        string scores = f.Add(f.MatMul(query, f.Transpose(key, 0, 1, 3, 2)), p.Bias); // (B, H, S, M)
        return f.MatMul(f.Softmax(scores), kv[1]); // (B, H, S, dv)
    }
}
