using System.Text.Json.Serialization;

namespace LatentMoE.Checkpoints;

/// <summary>
/// A decoder's shape, under the key names of Hugging Face's <c>config.json</c> (snake case there, Pascal case here).
/// One record serves the four twins: latent or multi-head attention, expert or dense feed-forward.
/// </summary>
public sealed partial record ModelConfig
{
    public const string DeepseekV3 = "deepseek_v3", DeepseekV2 = "deepseek_v2", Llama = "llama", Glm4Moe = "glm4_moe";

    /// <summary>
    /// <c>deepseek_v3</c>: latent attention, experts or dense; <c>deepseek_v2</c>: likewise, read but not trained; <c>glm4_moe</c>:
    /// multi-head attention with experts; <c>llama</c>: multi-head attention, dense.
    /// </summary>
    public string ModelType { get; init; } = DeepseekV3;

    // Sizes
    public int VocabSize { get; init; }
    public int HiddenSize { get; init; }
    public int NumHiddenLayers { get; init; }
    public int NumAttentionHeads { get; init; }
    public int NumKeyValueHeads { get; init; }
    public int MaxPositionEmbeddings { get; init; } = 512;
    public int IntermediateSize { get; init; }

    // Latent attention; zero in the multi-head twins
    public int? QLoraRank { get; init; }
    public int KvLoraRank { get; init; }
    public int QkNopeHeadDim { get; init; }
    public int QkRopeHeadDim { get; init; }
    public int VHeadDim { get; init; }

    // Multi-head attention; null means hidden_size / num_attention_heads
    public int? HeadDim { get; init; }

    // Experts; zero in the dense twins
    public int NRoutedExperts { get; init; }
    public int NSharedExperts { get; init; }
    public int NumExpertsPerTok { get; init; }
    public int MoeIntermediateSize { get; init; }
    public int FirstKDenseReplace { get; init; }
    public string ScoringFunc { get; init; } = "sigmoid";
    public string TopkMethod { get; init; } = "noaux_tc";
    public bool NormTopkProb { get; init; } = true;
    public double RoutedScalingFactor { get; init; } = 1.0;
    public int NGroup { get; init; } = 1;
    public int TopkGroup { get; init; } = 1;

    // Rotary positions
    public double RopeTheta { get; init; } = 10_000.0;
    public YarnScaling? RopeScaling { get; init; }
    public bool RopeInterleave { get; init; } = true;

    // Norms, head, initialisation
    public double RmsNormEps { get; init; } = 1e-6;
    public bool TieWordEmbeddings { get; init; }
    public double InitializerRange { get; init; } = 0.02;

    // Tokens
    public int? BosTokenId { get; init; }
    public int? EosTokenId { get; init; }
    public int? PadTokenId { get; init; }

    [JsonIgnore] public bool IsLatent => KvLoraRank > 0;
    [JsonIgnore] public bool IsMoE => NRoutedExperts > 0 && FirstKDenseReplace < NumHiddenLayers;

    /// <summary>Width of a query head and of a multi-head key.</summary>
    [JsonIgnore] public int QkHeadDim => IsLatent ? QkNopeHeadDim + QkRopeHeadDim : MultiHeadDim;

    [JsonIgnore] public int MultiHeadDim => HeadDim ?? HiddenSize / NumAttentionHeads;

    /// <summary>Width that rotary positions turn: the shared rotary key, or the whole head in the multi-head twins.</summary>
    [JsonIgnore] public int RopeDim => IsLatent ? QkRopeHeadDim : MultiHeadDim;

    /// <summary>Heads and width of the cached <c>key</c> (and, equally, <c>value</c>) tensor [batch, heads, tokens, width] of a layer.</summary>
    [JsonIgnore] public (int Heads, int Width) CacheShape => IsLatent ? (1, (KvLoraRank + QkRopeHeadDim) / 2) : (NumKeyValueHeads, MultiHeadDim);

    /// <summary>
    /// The factor on attention scores: one over the square root of the query head's width, times YaRN's. (DeepSeek's code, vLLM and
    /// llama.cpp apply the latter in both families, transformers in deepseek_v3 only.)
    /// </summary>
    [JsonIgnore] public double AttentionScale => (RopeScaling?.ScoreFactor ?? 1) / Math.Sqrt(QkHeadDim);

    /// <summary>The factor on cosines and sines.</summary>
    [JsonIgnore] public double RotaryFactor => RopeScaling?.RotaryFactor ?? 1;

    /// <summary>
    /// Of the norms of the query's and the key's latent: DeepSeek's code and transformers' build these with 1e-6, whatever
    /// rms_norm_eps is.
    /// </summary>
    [JsonIgnore] public double LatentNormEps => 1e-6;

    /// <summary>
    /// Whether a token's weights are normalised to sum 1. A single expert keeps its own score, as DeepSeek's code has it, or its
    /// weight would be 1 whatever the router says.
    /// </summary>
    [JsonIgnore] public bool NormalisesWeights => NormTopkProb && NumExpertsPerTok > 1;

    /// <summary>
    /// The factor on a token's weights. DeepSeek-V2's code, which is followed here, scales weights only where it does not normalise
    /// them, DeepSeek-V3's always. (For a deepseek_v2 with norm_topk_prob, which none that was published has, transformers scales and
    /// does not normalise.)
    /// </summary>
    [JsonIgnore] public double WeightFactor => ModelType == DeepseekV2 && NormalisesWeights ? 1 : RoutedScalingFactor;

    /// <summary>Whether a layer's feed-forward part is a mixture of experts.</summary>
    public bool IsMoELayer(int layer) => IsMoE && layer >= FirstKDenseReplace;
}
