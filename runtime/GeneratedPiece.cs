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
public readonly record struct GeneratedPiece(
    int Index, int TokenId, string Text, FinishReason? FinishReason = null, GenerationStatistics? Statistics = null);
