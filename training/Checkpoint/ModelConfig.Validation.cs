namespace LatentMoE.Checkpoints;

public sealed partial record ModelConfig
{
    /// <summary>This record, if a model of it can exist; <paramref name="file"/> names its origin in the error.</summary>
    /// <exception cref="CheckpointException">A value is impossible alone or beside another.</exception>
    public ModelConfig Validated(string file)
    {
        void Need(bool ok, string what)
        {
            if (!ok)
            {
                throw new CheckpointException($"{file}: {what}");
            }
        }
        void Positive(string key, int value) => Need(value > 0, $"{key} is {value}; expected at least 1.");
        void Positives(params (string Key, int Value)[] pairs)
        {
            foreach (var (key, value) in pairs)
            {
                Positive(key, value);
            }
        }

        Positives(("vocab_size", VocabSize), ("hidden_size", HiddenSize), ("num_hidden_layers", NumHiddenLayers),
            ("num_attention_heads", NumAttentionHeads), ("max_position_embeddings", MaxPositionEmbeddings));
        Need(FirstKDenseReplace >= 0 && FirstKDenseReplace <= NumHiddenLayers, $"first_k_dense_replace is {FirstKDenseReplace}; expected 0 to num_hidden_layers ({NumHiddenLayers}).");
        Need(RmsNormEps > 0 && double.IsFinite(RmsNormEps), $"rms_norm_eps is {RmsNormEps}; expected a small positive number.");
        Need(RopeTheta > 1 && double.IsFinite(RopeTheta), $"rope_theta is {RopeTheta}; expected more than 1.");
        if (RopeScaling is YarnScaling yarn)
        {
            ValidateYarn(yarn, Need);
        }
        Need(InitializerRange > 0 && double.IsFinite(InitializerRange), $"initializer_range is {InitializerRange}; expected a small positive number.");
        if (IsLatent || ModelType is DeepseekV3 or DeepseekV2)
        {
            Positives(("kv_lora_rank", KvLoraRank), ("qk_nope_head_dim", QkNopeHeadDim), ("qk_rope_head_dim", QkRopeHeadDim), ("v_head_dim", VHeadDim));
            Need(QkRopeHeadDim % 2 == 0, $"qk_rope_head_dim is {QkRopeHeadDim}; rotary positions turn pairs, so it must be even.");
            Need(KvLoraRank % 2 == 0, $"kv_lora_rank is {KvLoraRank}; the cached row (kv_lora_rank + qk_rope_head_dim) is stored as two equal halves, so it must be even.");
            Need(QLoraRank is null or > 0, $"q_lora_rank is {QLoraRank}; expected null or at least 1.");
            Need(RopeInterleave || ModelType != DeepseekV2, "rope_interleave is false; deepseek_v2 turns neighbours, whatever it says.");
        }
        else
        {
            Need(NumKeyValueHeads > 0 && NumAttentionHeads % NumKeyValueHeads == 0,
                $"num_key_value_heads is {NumKeyValueHeads}; expected a divisor of num_attention_heads ({NumAttentionHeads}).");
            Need(HeadDim is > 0 || (HeadDim is null && HiddenSize % NumAttentionHeads == 0),
                $"hidden_size ({HiddenSize}) is not a multiple of num_attention_heads ({NumAttentionHeads}); give head_dim.");
            Need(MultiHeadDim % 2 == 0, $"head_dim is {MultiHeadDim}; rotary positions turn pairs, so it must be even.");
        }
        if (!IsMoE || FirstKDenseReplace > 0)
        {
            Positive("intermediate_size", IntermediateSize);
        }
        if (IsMoE)
        {
            ValidateRouting(Need, Positives);
        }
        foreach (var (key, id) in new[] { ("bos_token_id", BosTokenId), ("eos_token_id", EosTokenId), ("pad_token_id", PadTokenId) })
        {
            Need(id is null || (id >= 0 && id < VocabSize), $"{key} is {id}; expected an id below vocab_size ({VocabSize}).");
        }
        return this;
    }

    private static void ValidateYarn(YarnScaling yarn, Action<bool, string> need)
    {
        need(yarn.Factor >= 1 && double.IsFinite(yarn.Factor), $"factor of YaRN is {yarn.Factor}; expected at least 1.");
        need(yarn.OriginalMaxPositionEmbeddings > 0, $"original_max_position_embeddings of YaRN is {yarn.OriginalMaxPositionEmbeddings}; expected at least 1.");
        need(yarn.BetaSlow > 0 && yarn.BetaFast >= yarn.BetaSlow && double.IsFinite(yarn.BetaFast),
            $"beta_fast and beta_slow of YaRN are {yarn.BetaFast} and {yarn.BetaSlow}; expected positive numbers, the first not below the second.");
        need(yarn.Mscale >= 0 && yarn.MscaleAllDim >= 0 && double.IsFinite(yarn.Mscale) && double.IsFinite(yarn.MscaleAllDim),
            $"mscale and mscale_all_dim of YaRN are {yarn.Mscale} and {yarn.MscaleAllDim}; expected 0 or more.");
    }

    private void ValidateRouting(Action<bool, string> need, Action<(string, int)[]> positives)
    {
        positives([("n_routed_experts", NRoutedExperts), ("num_experts_per_tok", NumExpertsPerTok), ("moe_intermediate_size", MoeIntermediateSize), ("n_group", NGroup), ("topk_group", TopkGroup)]);
        need(NSharedExperts >= 0, $"n_shared_experts is {NSharedExperts}; expected 0 or more.");
        need(NumExpertsPerTok <= NRoutedExperts, $"num_experts_per_tok is {NumExpertsPerTok}, more than n_routed_experts ({NRoutedExperts}).");
        need(NRoutedExperts % NGroup == 0, $"n_routed_experts ({NRoutedExperts}) is not a multiple of n_group ({NGroup}).");
        need(TopkGroup <= NGroup, $"topk_group is {TopkGroup}, more than n_group ({NGroup}).");
        need(NumExpertsPerTok <= NRoutedExperts / NGroup * TopkGroup,
            $"num_experts_per_tok is {NumExpertsPerTok}, but topk_group ({TopkGroup}) groups hold only {NRoutedExperts / NGroup * TopkGroup} experts.");
        need(TopkMethod != "noaux_tc" || NGroup == 1 || NRoutedExperts / NGroup >= 2,
            $"topk_method noaux_tc scores a group by its two best experts, but n_group is {NGroup} of {NRoutedExperts} experts.");
        need(ScoringFunc is "sigmoid" or "softmax", $"scoring_func is \"{ScoringFunc}\"; expected \"sigmoid\" or \"softmax\".");
        need(TopkMethod is "noaux_tc" or "greedy" or "group_limited_greedy",
            $"topk_method is \"{TopkMethod}\"; expected \"noaux_tc\", \"greedy\" or \"group_limited_greedy\".");
        // What its own code computes; other values would pass for it silently elsewhere.
        need(ModelType != DeepseekV2 || ScoringFunc == "softmax", $"scoring_func is \"{ScoringFunc}\"; deepseek_v2 has \"softmax\" only.");
        need(ModelType != DeepseekV2 || TopkMethod != "noaux_tc", $"topk_method is \"{TopkMethod}\"; deepseek_v2 has \"greedy\" and \"group_limited_greedy\" only.");
        need(RoutedScalingFactor > 0 && double.IsFinite(RoutedScalingFactor), $"routed_scaling_factor is {RoutedScalingFactor}; expected a positive number.");
    }
}
