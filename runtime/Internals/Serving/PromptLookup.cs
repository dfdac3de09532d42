namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>Guesses tokens from what the text already holds: those that followed the last occurrence of its end (arXiv 2304.04487).</summary>
internal static class PromptLookup
{
    private const int Longest = 4, Shortest = 2, Window = 1 << 13;

    /// <summary>Up to <paramref name="count"/> tokens that may follow; none where the end has not occurred before.</summary>
    public static ReadOnlySpan<int> Guess(ReadOnlySpan<int> tokens, int count)
    {
        tokens = tokens[Math.Max(0, tokens.Length - Window)..];
        for (int length = Math.Min(Longest, tokens.Length - 1); length >= Shortest; length--)
        {
            var end = tokens[^length..];
            int at = tokens[..^1].LastIndexOf(end);
            if (at >= 0)
            {
                var after = tokens[(at + length)..];
                return after[..Math.Min(count, after.Length)];
            }
        }
        return [];
    }
}
