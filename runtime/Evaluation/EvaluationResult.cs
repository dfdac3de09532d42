namespace LatentMoE.Runtime;

/// <summary>How well a model predicts a text.</summary>
/// <param name="Loss">Cross-entropy, nats a token.</param>
/// <param name="Tokens">Predicted tokens: all but the first, the separators of documents among them.</param>
/// <param name="Bytes">UTF-8 bytes of the predicted tokens; separators have none.</param>
/// <param name="Documents">Documents that were read, the last one perhaps in part.</param>
public sealed record EvaluationResult(double Loss, long Tokens, long Bytes, int Documents)
{
    /// <summary>e to the loss.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>Bits for a byte of text, which models with different tokenizers can be compared by; 0 for a text without bytes.</summary>
    public double BitsPerByte => Bytes == 0 ? 0 : Loss * Tokens / Math.Log(2) / Bytes;
}

/// <summary>Where an evaluation stands.</summary>
/// <param name="Tokens">Predicted so far.</param>
/// <param name="Total">To be predicted.</param>
/// <param name="Loss">Mean so far, nats a token.</param>
public readonly record struct EvaluationProgress(long Tokens, long Total, double Loss);
