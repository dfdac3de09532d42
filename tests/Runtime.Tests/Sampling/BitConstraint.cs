namespace LatentMoE.Runtime.Tests.Sampling;

/// <summary>Allows the tokens that a rule names, and is complete after so many of them.</summary>
internal sealed class BitConstraint(int vocabulary, Func<int, bool> allowed, int length = int.MaxValue) : ITokenConstraint
{
    public List<int> Accepted { get; } = [];

    public bool IsComplete => Accepted.Count >= length;

    public ReadOnlySpan<ulong> Allowed()
    {
        var bits = new ulong[(vocabulary + 63) / 64];
        for (int id = 0; id < vocabulary; id++)
        {
            bits[id / 64] |= allowed(id) ? 1UL << (id % 64) : 0;
        }
        return bits;
    }

    public void Accept(int token) => Accepted.Add(token);
}
