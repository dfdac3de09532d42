using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

internal sealed partial class DecoderGraph
{
    // ONNX Runtime's GroupQueryAttention, for the twins that are there to compare with. It takes lengths where latent attention
    // takes positions: a row's length is its largest position + 1, so rows are right-padded or not padded at all, and an idle row
    // (position −1) overwrites its first column.
    private sealed class MultiHeadAttentionPart : AttentionPart
    {
        private readonly string lengths, total;

        public MultiHeadAttentionPart(DecoderGraph decoder) : base(decoder)
        {
            string last = Graph.Max(Graph.ReduceMax("position_ids", keep: false, 1), Graph.Int(0)); // (B)
            lengths = Graph.Cast(last, DataType.Int32);
            string longest = Graph.Add(Graph.ReduceMax(last, keep: true, 0), Graph.Ints(1));
            total = Graph.Cast(Graph.Squeeze(Graph.Max(Graph.Shape("attention_mask", 1, 2), longest), 0), DataType.Int32);
        }

        public override string Layer(string x, int layer)
        {
            string p = $"model.layers.{layer}.self_attn.", heads = Graph.Scope + "heads";
            var c = Decoder.config;
            string q = Decoder.Project(x, p + "q_proj"), k = Decoder.Project(x, p + "k_proj"), v = Decoder.Project(x, p + "v_proj");
            var (past, present) = Cache(layer);
            string[] inputs = [q, k, v, .. past, lengths, total, Rotary.Cos, Rotary.Sin];
            Graph.Append(Opset.MicrosoftDomain, "GroupQueryAttention", inputs, [heads, .. present],
            [
                NodeAttribute.Int("num_heads", c.NumAttentionHeads),
                NodeAttribute.Int("kv_num_heads", c.NumKeyValueHeads),
                NodeAttribute.Float("scale", c.AttentionScale),
                NodeAttribute.Flag("do_rotary", true),
                NodeAttribute.Flag("rotary_interleaved", c.RopeInterleave),
            ]);
            return Decoder.Project(heads, p + "o_proj");
        }
    }
}
