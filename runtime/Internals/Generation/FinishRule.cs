namespace LatentMoE.Runtime.Internals.Generation;

/// <summary>Says after which token an answer ends, and why; stop strings, which are text, are <see cref="PieceWriter"/>'s.</summary>
/// <param name="endTokens">The model's end-of-sequence tokens.</param>
internal sealed class FinishRule(GenerationOptions options, IReadOnlySet<int> endTokens, int promptTokens, int contextLength)
{
    private readonly HashSet<int> _stopTokens = [.. options.StopTokens];

    // What an answer in a grammar may go on with after its end, nothing says.
    private readonly bool _ends = !options.IgnoreEndOfSequence || options.Grammar is not null;

    /// <summary>Why the answer ends with this token; null where it goes on.</summary>
    /// <param name="count">Generated tokens, this one included.</param>
    /// <param name="complete">Whether the grammar, past this token, has the answer whole and nothing may follow.</param>
    public FinishReason? After(int token, int count, bool complete) =>
        _ends && endTokens.Contains(token) ? FinishReason.EndOfSequence
        : _stopTokens.Contains(token) ? FinishReason.StopToken
        : complete ? FinishReason.GrammarComplete
        : count == options.MaxNewTokens ? FinishReason.MaxNewTokens
        : promptTokens + count == contextLength ? FinishReason.ContextLength
        : null;
}
