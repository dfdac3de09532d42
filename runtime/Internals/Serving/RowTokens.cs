namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>What one row adds in a run: tokens from a position on, or nothing.</summary>
internal readonly record struct RowTokens(ReadOnlyMemory<int> Tokens, int Position)
{
    public int Count => Tokens.Length;
}
