namespace LatentMoE.Runtime;

/// <summary>Where one answer stands in its language.</summary>
internal interface ITokenConstraint
{
    /// <summary>
    /// The tokens that may come next, a bit each, lowest first, [vocabulary rounded up to words of 64 bits]. End tokens are among them where the
    /// answer is whole. Valid until the next call.
    /// </summary>
    ReadOnlySpan<ulong> Allowed();

    /// <summary>Goes on past a token that was allowed.</summary>
    void Accept(int token);

    /// <summary>The answer is whole and no other token than an end token may follow.</summary>
    bool IsComplete { get; }
}
