namespace LatentMoE.Runtime.Internals.Grammars.Automata;

/// <summary>
/// A language of byte strings, as a tree whose references may form cycles. Immutable once its heights are settled.
/// No byte string is listed: counts stay counts, so that a node is small whatever it repeats.
/// </summary>
internal abstract class Node
{
    /// <summary>The height of a language without any string.</summary>
    public const int Dead = 1 << 20;

    /// <summary>The fewest levels of nesting that a string of this language has; <see cref="Dead"/> where it has no finite string.</summary>
    public int Height { get; protected set; }

    /// <summary>Whether the empty string belongs to it, references taken as not empty.</summary>
    public virtual bool IsNullable => false;

    public virtual IReadOnlyList<Node> Children => [];

    /// <summary>Takes the height from the children's; true where it changed.</summary>
    public bool Settle()
    {
        int before = Height;
        Height = Math.Min(Measure(), Dead);
        return Height != before;
    }

    protected abstract int Measure();

    public static Node Nothing { get; } = new Choice([]);

    public static Node Empty { get; } = new Sequence([]);
}

/// <summary>One byte of a range.</summary>
internal sealed class ByteRange(byte low, byte high) : Node
{
    public byte Low => low;

    public byte High => high;

    protected override int Measure() => 0;
}

/// <summary>The strings that an automaton accepts.</summary>
internal sealed class Regular : Node
{
    private readonly int _height;

    public Regular(Dfa dfa, int height = 0) => (Dfa, _height, Height) = (dfa, height, height);

    public Dfa Dfa { get; }

    public override bool IsNullable => Dfa.Accepts(Dfa.Start);

    protected override int Measure() => _height;
}

/// <summary>The parts one after the other.</summary>
internal sealed class Sequence : Node
{
    public Sequence(params Node[] parts)
    {
        Children = parts;
        IsNullable = parts.All(part => part.IsNullable);
        Settle();
    }

    public override IReadOnlyList<Node> Children { get; }

    public override bool IsNullable { get; }

    protected override int Measure() => Children.Count == 0 ? 0 : Children.Max(part => part.Height);
}

/// <summary>Any one of the options.</summary>
internal sealed class Choice : Node
{
    public Choice(params Node[] options)
    {
        Children = options;
        IsNullable = options.Any(option => option.IsNullable);
        Settle();
    }

    public override IReadOnlyList<Node> Children { get; }

    public override bool IsNullable { get; }

    protected override int Measure() => Children.Count == 0 ? Dead : Children.Min(option => option.Height);
}

/// <summary>The body so many times.</summary>
internal sealed class Repeat : Node
{
    public const int Unlimited = int.MaxValue;

    public Repeat(Node body, int min, int max)
    {
        (Body, Min, Max) = (body, body.IsNullable ? 0 : min, max); // a body that may be empty fills up any count
        IsNullable = Min == 0;
        Settle();
    }

    public Node Body { get; }

    public int Min { get; }

    public int Max { get; }

    public override IReadOnlyList<Node> Children => [Body];

    public override bool IsNullable { get; }

    protected override int Measure() => Min == 0 ? 0 : Body.Height;
}

/// <summary>One more level of nesting.</summary>
internal sealed class Nested : Node
{
    public Nested(Node body)
    {
        Children = [body];
        Settle();
    }

    public Node Body => Children[0];

    public override IReadOnlyList<Node> Children { get; }

    protected override int Measure() => Children[0].Height + 1;
}

/// <summary>A language that is given later, so that languages can contain themselves.</summary>
internal sealed class Reference : Node
{
    public Reference() => Height = Dead;

    public Node Target { get; set; } = Nothing;

    public override IReadOnlyList<Node> Children => [Target];

    protected override int Measure() => Target.Height;
}
