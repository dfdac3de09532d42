namespace LatentMoE.Checkpoints;

/// <summary>The four models that comparisons are made of: latent or multi-head attention, experts or a dense feed-forward part, all else equal.</summary>
public static class Twin
{
    public const string MlaMoE = "mla-moe", MlaDense = "mla-dense", MhaMoE = "mha-moe", MhaDense = "mha-dense";

    public static IReadOnlyList<string> Names { get; } = [MlaMoE, MlaDense, MhaMoE, MhaDense];

    /// <summary>
    /// The twin of a preset's latent model with experts. Multi-head twins have heads of hidden_size / num_attention_heads, and
    /// positions without scaling; dense ones the preset's intermediate_size.
    /// </summary>
    /// <exception cref="CheckpointException">The preset lacks what the twin is derived from.</exception>
    public static ModelConfig Of(ModelConfig config, string twin, string origin)
    {
        if (!Names.Contains(twin))
        {
            throw new CheckpointException($"twin is \"{twin}\"; expected one of {string.Join(", ", Names)}.");
        }
        if (!config.IsLatent || !config.IsMoE)
        {
            throw new CheckpointException($"{origin}: is not a latent model with experts, so no twin can be derived from it; leave --twin out.");
        }
        if (twin is MlaDense or MhaDense)
        {
            config = config with
            {
                FirstKDenseReplace = twin == MhaDense ? 0 : config.NumHiddenLayers,
                NRoutedExperts = 0,
                NSharedExperts = 0,
                NumExpertsPerTok = 0,
                MoeIntermediateSize = 0,
            };
        }
        if (twin is MhaMoE or MhaDense)
        {
            config = config with
            {
                ModelType = twin == MhaMoE ? ModelConfig.Glm4Moe : ModelConfig.Llama,
                QLoraRank = null,
                KvLoraRank = 0,
                QkNopeHeadDim = 0,
                QkRopeHeadDim = 0,
                VHeadDim = 0,
                NumKeyValueHeads = config.NumAttentionHeads,
                HeadDim = config.HiddenSize / config.NumAttentionHeads,
                RopeInterleave = false,
                RopeScaling = null,
            };
        }
        return config.Validated($"{origin}, twin {twin}");
    }
}
