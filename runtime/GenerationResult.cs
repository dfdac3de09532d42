namespace LatentMoE.Runtime;

/// <summary>A whole answer: the stream of <see cref="GeneratedPiece"/>, collected.</summary>
/// <param name="Text">The generated text, without the prompt, special tokens or the stop string.</param>
/// <param name="TokenIds">Every generated token, an end-of-sequence token included.</param>
public sealed record GenerationResult(string Text, IReadOnlyList<int> TokenIds, FinishReason FinishReason, GenerationStatistics Statistics);
