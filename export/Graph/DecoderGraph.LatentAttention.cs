using LatentMoE.Export.Operators;

namespace LatentMoE.Export.Graph;

internal sealed partial class DecoderGraph
{
    private sealed class LatentAttentionPart(DecoderGraph decoder) : AttentionPart(decoder)
    {
        private readonly LatentAttention attention = new(decoder.config, decoder.precision.Tables, decoder.cache, decoder.activations);

        public override string Layer(string x, int layer)
        {
            string p = $"model.layers.{layer}.self_attn.", heads = Graph.Scope + "heads";
            string q = Decoder.config.QLoraRank is null ? Decoder.Project(x, p + "q_proj")
                : Decoder.Project(Decoder.Norm(Decoder.Project(x, p + "q_a_proj"), p + "q_a_layernorm.weight", Decoder.config.LatentNormEps), p + "q_b_proj");
            string kv = Decoder.Project(x, p + "kv_a_proj_with_mqa");
            var (past, present) = Cache(layer);
            string[] expand = Decoder.Matrix(Decoder.precision.Tables, p + "kv_b_proj.weight");
            attention.Call(Graph, [q, kv, Decoder.Weight(p + "kv_a_layernorm.weight"), .. expand,
                Rotary.Cos, Rotary.Sin, "position_ids", "attention_mask", .. past], [heads, .. present]);
            return Decoder.Project(heads, p + "o_proj");
        }
    }
}
