using System.Text.Json.Nodes;

namespace LatentMoE.Tests.Support.Field;

/// <summary>Names and shapes of the tensors that DeepSeek's modelling code has for a config.json, written down from that code.</summary>
internal static class FieldTensors
{
    /// <param name="Name">Without ".weight" only where the tensor is none.</param>
    /// <param name="Quantised">Whether an fp8 checkpoint stores it in F8_E4M3: matrices of linear layers but the router's and the head.</param>
    public sealed record Entry(string Name, long[] Shape, bool Quantised);

    public static IEnumerable<Entry> Of(JsonObject config)
    {
        long Size(string key) => (long?)config[key] ?? 0;
        long d = Size("hidden_size"), layers = Size("num_hidden_layers");
        yield return new("model.embed_tokens.weight", [Size("vocab_size"), d], false);
        for (long layer = 0; layer < layers + Size("num_nextn_predict_layers"); layer++)
        {
            string p = $"model.layers.{layer}.";
            foreach (var entry in Layer(config, p, layer))
            {
                yield return entry;
            }
            if (layer >= layers)
            {
                yield return new(p + "embed_tokens.weight", [Size("vocab_size"), d], false);
                yield return new(p + "enorm.weight", [d], false);
                yield return new(p + "hnorm.weight", [d], false);
                yield return new(p + "eh_proj.weight", [d, 2 * d], false);
                yield return new(p + "shared_head.norm.weight", [d], false);
                yield return new(p + "shared_head.head.weight", [Size("vocab_size"), d], false);
            }
        }
        yield return new("model.norm.weight", [d], false);
        if ((bool?)config["tie_word_embeddings"] != true)
        {
            yield return new("lm_head.weight", [Size("vocab_size"), d], false);
        }
    }

    private static IEnumerable<Entry> Layer(JsonObject config, string p, long layer)
    {
        long Size(string key) => (long?)config[key] ?? 0;
        long d = Size("hidden_size"), heads = Size("num_attention_heads"), rank = Size("kv_lora_rank"), rope = Size("qk_rope_head_dim");
        long query = heads * (Size("qk_nope_head_dim") + rope), low = Size("q_lora_rank"), value = Size("v_head_dim");
        Entry Linear(string name, long rows, long columns) => new($"{p}{name}.weight", [rows, columns], true);
        Entry Norm(string name, long width) => new($"{p}{name}.weight", [width], false);
        IEnumerable<Entry> FeedForward(string name, long hidden) =>
            [Linear(name + ".gate_proj", hidden, d), Linear(name + ".up_proj", hidden, d), Linear(name + ".down_proj", d, hidden)];
        IEnumerable<Entry> queries = low == 0 ? [Linear("self_attn.q_proj", query, d)]
            : [Linear("self_attn.q_a_proj", low, d), Norm("self_attn.q_a_layernorm", low), Linear("self_attn.q_b_proj", query, low)];
        List<Entry> entries =
        [
            Norm("input_layernorm", d), .. queries, Linear("self_attn.kv_a_proj_with_mqa", rank + rope, d), Norm("self_attn.kv_a_layernorm", rank),
            Linear("self_attn.kv_b_proj", heads * (Size("qk_nope_head_dim") + value), rank), Linear("self_attn.o_proj", d, heads * value),
            Norm("post_attention_layernorm", d),
        ];
        if (layer < Size("first_k_dense_replace"))
        {
            return [.. entries, .. FeedForward("mlp", Size("intermediate_size"))];
        }
        long hidden = Size("moe_intermediate_size");
        entries.Add(new(p + "mlp.gate.weight", [Size("n_routed_experts"), d], false));
        if ((string)config["model_type"]! == "deepseek_v3")
        {
            entries.Add(new(p + "mlp.gate.e_score_correction_bias", [Size("n_routed_experts")], false));
        }
        for (long expert = 0; expert < Size("n_routed_experts"); expert++)
        {
            entries.AddRange(FeedForward($"mlp.experts.{expert}", hidden));
        }
        return [.. entries, .. FeedForward("mlp.shared_experts", hidden * Size("n_shared_experts"))];
    }
}
