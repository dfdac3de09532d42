using System.Runtime.CompilerServices;

namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>
/// A stack of what is still to be read, its top here; stacks share their lower frames. Equal by what they hold.
/// </summary>
internal sealed class Frame : IEquatable<Frame>
{
    private readonly int _hash;

    /// <param name="value">How far the node has been read: a part, a count or an automaton's state.</param>
    /// <param name="depth">Levels of nesting around the node.</param>
    public Frame(Node node, int value, int depth, Frame? next)
    {
        (Node, Value, Depth, Next) = (node, value, depth, next);
        _hash = (((((next?._hash ?? 17) * 31) + RuntimeHelpers.GetHashCode(node)) * 31) + value) * 31 + depth;
    }

    public Node Node { get; }

    public int Value { get; }

    public int Depth { get; }

    public Frame? Next { get; }

    public bool Equals(Frame? other)
    {
        for (var frame = this; !ReferenceEquals(frame, other); frame = frame.Next, other = other.Next)
        {
            if (frame is null || other is null || frame._hash != other._hash || frame.Node != other.Node || frame.Value != other.Value || frame.Depth != other.Depth)
            {
                return false;
            }
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as Frame);

    public override int GetHashCode() => _hash;
}
