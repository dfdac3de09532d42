namespace LatentMoE.Runtime;

/// <summary>One step of a streamed generation: exactly one per generated token.</summary>
/// <param name="Index">0 for the first generated token.</param>
/// <param name="TokenId">The token that was generated.</param>
/// <param name="Text">
/// Text that became certain with this token. Empty while a character is incomplete or a stop string may be under way,
/// and for special tokens; the last piece brings everything that was held back.
/// </param>
/// <param name="FinishReason">Set on the last piece only.</param>
/// <param name="Statistics">Set on the last piece only.</param>
/// <param name="Logprobs">Set where <see cref="GenerationOptions.Logprobs"/> asks for them.</param>
/// <param name="Experts">Set where <see cref="EngineOptions.TrackExperts"/> asks for them.</param>
public readonly record struct GeneratedPiece(
    int Index, int TokenId, string Text, FinishReason? FinishReason = null, GenerationStatistics? Statistics = null,
    TokenLogprobs? Logprobs = null, RoutedExperts? Experts = null);

/// <summary>The log-probability (natural) of a token.</summary>
public readonly record struct TokenLogprob(int TokenId, float Logprob);

/// <summary>The log-probability of a generated token, and the most likely tokens in its place, the likeliest first.</summary>
public sealed record TokenLogprobs(float Logprob, IReadOnlyList<TokenLogprob> Top);

/// <summary>The routed experts that took part in choosing a token: for each MoE layer, in order, the ids of its top-k.</summary>
public sealed record RoutedExperts(IReadOnlyList<IReadOnlyList<int>> Layers);

/// <summary>A model's routed experts.</summary>
/// <param name="Layers">MoE layers.</param>
/// <param name="Experts">Routed experts of a layer.</param>
/// <param name="TopK">Experts that a token takes in a layer.</param>
public sealed record ExpertShape(int Layers, int Experts, int TopK);
