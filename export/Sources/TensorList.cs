using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Sources;

/// <summary>The tensors that a configuration asks of its checkpoint, under their Hugging Face names.</summary>
internal static class TensorList
{
    /// <summary>All of them; optional is a selection bias that the routing method does not use.</summary>
    public static IEnumerable<(string Name, long[] Shape, bool Optional)> All(ModelConfig c)
    {
        bool Optional(string name) => c.TopkMethod != "noaux_tc" && name.EndsWith(".e_score_correction_bias", StringComparison.Ordinal);
        return Tensors(c).Select(t => (t.Name, t.Shape, Optional(t.Name)));
    }

    private static IEnumerable<(string Name, long[] Shape)> Tensors(ModelConfig c)
    {
        yield return ("model.embed_tokens.weight", [c.VocabSize, c.HiddenSize]);
        for (int layer = 0; layer < c.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.";
            yield return (p + "input_layernorm.weight", [c.HiddenSize]);
            yield return (p + "post_attention_layernorm.weight", [c.HiddenSize]);
            foreach (var tensor in c.IsLatent ? LatentAttention(c, p + "self_attn.") : MultiHeadAttention(c, p + "self_attn."))
            {
                yield return tensor;
            }
            foreach (var tensor in c.IsMoELayer(layer) ? Experts(c, p + "mlp.") : FeedForward(c, p + "mlp.", c.IntermediateSize))
            {
                yield return tensor;
            }
        }
        yield return ("model.norm.weight", [c.HiddenSize]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabSize, c.HiddenSize]);
        }
    }

    /// <summary>What a tensor is used for.</summary>
    public static MatrixRole RoleOf(string name) => name switch
    {
        _ when name.EndsWith("norm.weight", StringComparison.Ordinal) || name.Contains(".mlp.gate.", StringComparison.Ordinal) => MatrixRole.None,
        _ when name.Contains("experts.", StringComparison.Ordinal) => MatrixRole.Experts,
        _ when name.EndsWith(".kv_b_proj.weight", StringComparison.Ordinal) || name == "model.embed_tokens.weight" => MatrixRole.Table,
        _ => MatrixRole.Linear,
    };

    private static IEnumerable<(string, long[])> LatentAttention(ModelConfig c, string p)
    {
        long heads = c.NumAttentionHeads;
        if (c.QLoraRank is int rank)
        {
            yield return (p + "q_a_proj.weight", [rank, c.HiddenSize]);
            yield return (p + "q_a_layernorm.weight", [rank]);
            yield return (p + "q_b_proj.weight", [heads * c.QkHeadDim, rank]);
        }
        else
        {
            yield return (p + "q_proj.weight", [heads * c.QkHeadDim, c.HiddenSize]);
        }
        yield return (p + "kv_a_proj_with_mqa.weight", [c.KvLoraRank + c.QkRopeHeadDim, c.HiddenSize]);
        yield return (p + "kv_a_layernorm.weight", [c.KvLoraRank]);
        yield return (p + "kv_b_proj.weight", [heads * (c.QkNopeHeadDim + c.VHeadDim), c.KvLoraRank]);
        yield return (p + "o_proj.weight", [c.HiddenSize, heads * c.VHeadDim]);
    }

    private static IEnumerable<(string, long[])> MultiHeadAttention(ModelConfig c, string p)
    {
        long query = (long)c.NumAttentionHeads * c.MultiHeadDim, key = (long)c.NumKeyValueHeads * c.MultiHeadDim;
        yield return (p + "q_proj.weight", [query, c.HiddenSize]);
        yield return (p + "k_proj.weight", [key, c.HiddenSize]);
        yield return (p + "v_proj.weight", [key, c.HiddenSize]);
        yield return (p + "o_proj.weight", [c.HiddenSize, query]);
    }

    private static IEnumerable<(string, long[])> Experts(ModelConfig c, string p)
    {
        yield return (p + "gate.weight", [c.NRoutedExperts, c.HiddenSize]);
        yield return (p + "gate.e_score_correction_bias", [c.NRoutedExperts]);
        var feedForwards = Enumerable.Range(0, c.NRoutedExperts).SelectMany(e => FeedForward(c, $"{p}experts.{e}.", c.MoeIntermediateSize));
        foreach (var tensor in c.NSharedExperts > 0
            ? feedForwards.Concat(FeedForward(c, p + "shared_experts.", (long)c.NSharedExperts * c.MoeIntermediateSize))
            : feedForwards)
        {
            yield return tensor;
        }
    }

    private static IEnumerable<(string, long[])> FeedForward(ModelConfig c, string p, long hidden) =>
    [
        (p + "gate_proj.weight", [hidden, c.HiddenSize]),
        (p + "up_proj.weight", [hidden, c.HiddenSize]),
        (p + "down_proj.weight", [c.HiddenSize, hidden]),
    ];
}

/// <summary>Which part of a precision a tensor's format comes from; none for norms and the router, which are float32.</summary>
internal enum MatrixRole { None, Linear, Experts, Table }
