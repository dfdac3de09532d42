using System.Collections.Immutable;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>Kinds of values; a number is of one that is whole, or of one with a fraction.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Whole = 4,
    Fraction = 8,
    Number = Whole | Fraction,
    String = 16,
    Array = 32,
    Object = 64,
    All = 127,
}

/// <summary>What one schema says of the members of an object: some by name, and the others.</summary>
internal sealed record MemberRules(IReadOnlyDictionary<string, SchemaNode> Named, IReadOnlyList<string> Order, SchemaNode? Others)
{
    public SchemaNode? For(string name) => Named.GetValueOrDefault(name, Others!);
}

/// <summary>What one schema says of the items of an array: the first ones, and the others.</summary>
internal sealed record ItemRules(IReadOnlyList<SchemaNode> First, SchemaNode? Others);

/// <summary>A value of an enum or const; values are equal whose keys are.</summary>
internal sealed record ListedValue(string Key, JsonElement Value);

/// <summary>One side of a range of numbers.</summary>
internal sealed record Bound(DecimalText Value, bool IsLower, bool OrEqual);

/// <summary>
/// Demands on one value that must all hold. Schemas whose keywords stand together, or are joined by allOf and $ref, add to one;
/// alternatives are several of them.
/// </summary>
internal sealed record Conjunct
{
    public JsonTypes Types { get; init; } = JsonTypes.All;

    /// <summary>The values that are listed; null where none are.</summary>
    public IReadOnlyList<ListedValue>? Values { get; init; }

    /// <summary>What the inside of a string, with the fewest escapes, must belong to.</summary>
    public ImmutableList<Dfa> Contents { get; init; } = [];

    public int MinLength { get; init; }

    public int MaxLength { get; init; } = Repeat.Unlimited;

    public ImmutableList<Bound> Bounds { get; init; } = [];

    public ImmutableList<DecimalText> Units { get; init; } = [];

    public ImmutableList<ItemRules> Items { get; init; } = [];

    public int MinItems { get; init; }

    public int MaxItems { get; init; } = Repeat.Unlimited;

    public ImmutableList<MemberRules> Members { get; init; } = [];

    /// <summary>The names that must be there, a list of each schema.</summary>
    public ImmutableList<IReadOnlyList<string>> Required { get; init; } = [];
}
