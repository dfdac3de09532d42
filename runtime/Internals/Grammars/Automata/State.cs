namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>Where a string may stand in a language: every stack that reads it so far. Each stack can be completed.</summary>
internal sealed class State : IEquatable<State>
{
    private readonly Frame[] _stacks;
    private readonly int _hash;

    /// <param name="stacks">All different; the top of each reads a byte.</param>
    public State(Frame[] stacks, bool accepts, int classes)
    {
        Array.Sort(stacks, (a, b) => a.GetHashCode().CompareTo(b.GetHashCode()));
        (_stacks, Accepts, Next) = (stacks, accepts, stacks.Length == 0 ? [] : new State?[classes]);
        _hash = stacks.Aggregate(accepts ? 1 : 0, (hash, stack) => (hash * 31) + stack.GetHashCode());
    }

    public static State Dead { get; } = new([], false, 0);

    public ReadOnlySpan<Frame> Stacks => _stacks;

    /// <summary>Whether the string is whole.</summary>
    public bool Accepts { get; }

    /// <summary>Whether no byte may follow.</summary>
    public bool IsLast => _stacks.Length == 0;

    public bool IsDead => IsLast && !Accepts;

    /// <summary>The states after a byte of each class, where they have been worked out.</summary>
    public State?[] Next { get; }

    public bool Equals(State? other) =>
        other is not null && _hash == other._hash && Accepts == other.Accepts && _stacks.AsSpan().SequenceEqual(other._stacks);

    public override bool Equals(object? obj) => Equals(obj as State);

    public override int GetHashCode() => _hash;
}
