using LatentMoE.Checkpoints;

namespace LatentMoE.Tests.Support;

/// <summary>One small configuration of every family, with widths that differ from each other so that swapped axes show.</summary>
public static class TestConfigs
{
    /// <summary>Latent attention with experts: sigmoid routing, shared experts, untied head.</summary>
    public static ModelConfig LatentMoE { get; } = new()
    {
        ModelType = ModelConfig.DeepseekV3,
        VocabSize = 272,
        HiddenSize = 48,
        NumHiddenLayers = 2,
        NumAttentionHeads = 3,
        NumKeyValueHeads = 3,
        MaxPositionEmbeddings = 96,
        IntermediateSize = 80,
        KvLoraRank = 24,
        QkNopeHeadDim = 12,
        QkRopeHeadDim = 8,
        VHeadDim = 16,
        NRoutedExperts = 8,
        NSharedExperts = 2,
        NumExpertsPerTok = 3,
        MoeIntermediateSize = 20,
        RoutedScalingFactor = 1.5,
        BosTokenId = TinyTokenizer.EndOfText,
        EosTokenId = TinyTokenizer.EndOfText,
        PadTokenId = TinyTokenizer.Pad,
    };

    /// <summary>Latent attention, dense feed-forward in every layer.</summary>
    public static ModelConfig LatentDense { get; } = LatentMoE with
    {
        FirstKDenseReplace = 2, NRoutedExperts = 0, NSharedExperts = 0, NumExpertsPerTok = 0, MoeIntermediateSize = 0,
    };

    /// <summary>Multi-head attention (grouped: four query heads on two key heads), dense feed-forward.</summary>
    public static ModelConfig Llama { get; } = LatentMoE with
    {
        ModelType = ModelConfig.Llama, HiddenSize = 64, NumAttentionHeads = 4, NumKeyValueHeads = 2,
        KvLoraRank = 0, QkNopeHeadDim = 0, QkRopeHeadDim = 0, VHeadDim = 0, RopeInterleave = false,
        NRoutedExperts = 0, NSharedExperts = 0, NumExpertsPerTok = 0, MoeIntermediateSize = 0,
    };

    /// <summary>Multi-head attention with experts.</summary>
    public static ModelConfig Glm4Moe { get; } = Llama with
    {
        ModelType = ModelConfig.Glm4Moe, NumKeyValueHeads = 4,
        NRoutedExperts = 8, NSharedExperts = 1, NumExpertsPerTok = 2, MoeIntermediateSize = 20,
    };

    /// <summary>The low-rank query path of DeepSeek-V3.</summary>
    public static ModelConfig QueryLora { get; } = LatentMoE with { QLoraRank = 28 };

    /// <summary>Group-limited routing as DeepSeek-V3 does it: a group's score is the sum of its two best experts.</summary>
    public static ModelConfig Groups { get; } = LatentMoE with { NGroup = 4, TopkGroup = 2 };

    /// <summary>Group-limited softmax routing as DeepSeek-V2 does it: a group's score is its best expert; weights not normalised.</summary>
    public static ModelConfig SoftmaxGroups { get; } = LatentMoE with
    {
        ScoringFunc = "softmax", TopkMethod = "group_limited_greedy", NormTopkProb = false,
        NGroup = 4, TopkGroup = 2, RoutedScalingFactor = 2.5,
    };

    public static ModelConfig SoftmaxGreedy { get; } = LatentMoE with { ScoringFunc = "softmax", TopkMethod = "greedy" };

    /// <summary>One chosen expert a token, whose weight is never normalised to one.</summary>
    public static ModelConfig TopOne { get; } = LatentMoE with { NumExpertsPerTok = 1 };

    public static ModelConfig TiedHead { get; } = LatentMoE with { TieWordEmbeddings = true };

    public static ModelConfig FirstLayerDense { get; } = LatentMoE with { FirstKDenseReplace = 1 };

    public static ModelConfig NoSharedExperts { get; } = LatentMoE with { NSharedExperts = 0 };

    /// <summary>Rotary pairs as two halves of the head instead of neighbours.</summary>
    public static ModelConfig RotateHalf { get; } = LatentMoE with { RopeInterleave = false };

    public static IReadOnlyDictionary<string, ModelConfig> All { get; } = new Dictionary<string, ModelConfig>
    {
        [nameof(LatentMoE)] = LatentMoE,
        [nameof(LatentDense)] = LatentDense,
        [nameof(Llama)] = Llama,
        [nameof(Glm4Moe)] = Glm4Moe,
        [nameof(QueryLora)] = QueryLora,
        [nameof(Groups)] = Groups,
        [nameof(SoftmaxGroups)] = SoftmaxGroups,
        [nameof(SoftmaxGreedy)] = SoftmaxGreedy,
        [nameof(TopOne)] = TopOne,
        [nameof(TiedHead)] = TiedHead,
        [nameof(FirstLayerDense)] = FirstLayerDense,
        [nameof(NoSharedExperts)] = NoSharedExperts,
        [nameof(RotateHalf)] = RotateHalf,
    };
}
