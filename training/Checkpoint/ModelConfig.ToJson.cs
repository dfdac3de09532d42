using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Checkpoints;

public sealed partial record ModelConfig
{
    /// <summary>The <c>config.json</c> that transformers, llama.cpp's converter and vLLM read for this family.</summary>
    public string ToJson()
    {
        var o = new JsonObject
        {
            ["architectures"] = new JsonArray(ModelType switch
            {
                Llama => "LlamaForCausalLM",
                Glm4Moe => "Glm4MoeForCausalLM",
                DeepseekV2 => "DeepseekV2ForCausalLM",
                _ => "DeepseekV3ForCausalLM",
            }),
            ["model_type"] = ModelType,
            ["vocab_size"] = VocabSize,
            ["hidden_size"] = HiddenSize,
            ["num_hidden_layers"] = NumHiddenLayers,
            ["num_attention_heads"] = NumAttentionHeads,
            ["num_key_value_heads"] = IsLatent ? NumAttentionHeads : NumKeyValueHeads,
            ["max_position_embeddings"] = MaxPositionEmbeddings,
            ["intermediate_size"] = IntermediateSize,
            ["hidden_act"] = "silu",
            ["attention_bias"] = false,
            ["attention_dropout"] = 0.0,
            ["rope_theta"] = RopeTheta,
            ["rope_scaling"] = RopeScaling is null ? null : ScalingJson(RopeScaling),
            ["rms_norm_eps"] = RmsNormEps,
            ["initializer_range"] = InitializerRange,
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["use_cache"] = true,
            ["torch_dtype"] = "float32",
            ["bos_token_id"] = BosTokenId,
            ["eos_token_id"] = EosTokenId,
            ["pad_token_id"] = PadTokenId,
        };
        if (IsLatent)
        {
            AddLatent(o);
        }
        else
        {
            o["head_dim"] = MultiHeadDim;
        }
        if (ModelType == Llama)
        {
            o["mlp_bias"] = false;
        }
        if (ModelType != Llama)
        {
            AddExperts(o);
        }
        if (ModelType == Glm4Moe)
        {
            o["partial_rotary_factor"] = 1.0;
            o["use_qk_norm"] = false;
        }
        return o.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    private void AddLatent(JsonObject o)
    {
        o["q_lora_rank"] = QLoraRank;
        o["kv_lora_rank"] = KvLoraRank;
        o["qk_nope_head_dim"] = QkNopeHeadDim;
        o["qk_rope_head_dim"] = QkRopeHeadDim;
        o["qk_head_dim"] = QkHeadDim;
        o["v_head_dim"] = VHeadDim;
        o["head_dim"] = QkRopeHeadDim;
        o["rope_interleave"] = RopeInterleave;
    }

    private void AddExperts(JsonObject o)
    {
        o["first_k_dense_replace"] = FirstKDenseReplace;
        if (IsMoE)
        {
            // Other programs take a missing key for none; some of them trip over null.
            o["n_routed_experts"] = NRoutedExperts;
            o["n_shared_experts"] = NSharedExperts;
            o["num_experts_per_tok"] = NumExpertsPerTok;
            o["moe_intermediate_size"] = MoeIntermediateSize;
        }
        o["scoring_func"] = ScoringFunc;
        o["topk_method"] = TopkMethod;
        o["norm_topk_prob"] = NormTopkProb;
        o["routed_scaling_factor"] = RoutedScalingFactor;
        o["n_group"] = NGroup;
        o["topk_group"] = TopkGroup;
    }

    // Both names of the type: older programs read the first, newer ones the second.
    private static JsonObject ScalingJson(YarnScaling yarn) => new()
    {
        ["type"] = "yarn",
        ["rope_type"] = "yarn",
        ["factor"] = yarn.Factor,
        ["original_max_position_embeddings"] = yarn.OriginalMaxPositionEmbeddings,
        ["beta_fast"] = yarn.BetaFast,
        ["beta_slow"] = yarn.BetaSlow,
        ["mscale"] = yarn.Mscale,
        ["mscale_all_dim"] = yarn.MscaleAllDim,
    };
}
