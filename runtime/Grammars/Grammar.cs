using System.Runtime.CompilerServices;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Masks;
using LatentMoE.Runtime.Internals.Grammars.Schemas;

namespace LatentMoE.Runtime;

/// <summary>
/// A language that answers must belong to: while one is written, tokens after which it could no longer be completed are not chosen.
/// Immutable; one grammar serves any number of generations, which share what it has worked out.
/// </summary>
/// <remarks>
/// Every answer is JSON (RFC 8259) of at most 64 levels of nesting, in a form that cannot run away: an optional space after a colon, and
/// between the parts of an object or list at most a space, or a line end and 15 spaces. Numbers have at most 18 digits before the point and 18
/// behind it (more where a range needs them), and an exponent of at most two digits. An object's declared properties come in the order of the
/// schema, optional ones may be left out, and others, where allowed, come last; that their names differ is not enforced.
/// </remarks>
public sealed class Grammar
{
    private readonly Automaton _automaton;
    private readonly ConditionalWeakTable<TokenVocabulary, MaskCache> _masks = [];

    private Grammar(Automaton automaton) => _automaton = automaton;

    /// <summary>Any JSON object (RFC 8259).</summary>
    public static Grammar JsonObject { get; } = FromJsonSchema("""{"type":"object"}""");

    /// <summary>
    /// JSON that a schema (JSON Schema 2020-12) describes. Enforced are type, properties, required, additionalProperties, items, prefixItems,
    /// minItems, maxItems, enum, const, anyOf, allOf, local $ref (also recursive), minLength, maxLength, pattern (regular, without
    /// lookaround, backreferences and \b), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, and the formats date, time, date-time,
    /// uuid, ipv4 and email; other formats, titles, descriptions, defaults and the like are ignored. oneOf is taken as anyOf: that only one
    /// alternative holds is not enforced.
    /// </summary>
    /// <exception cref="ArgumentException">It is not a schema, allows no value, is too complex, or uses a keyword that cannot be enforced; the
    /// message names it and where it stands.</exception>
    public static Grammar FromJsonSchema(string schema)
    {
        ArgumentException.ThrowIfNullOrEmpty(schema);
        return new Grammar(SchemaCompiler.Compile(schema));
    }

    /// <summary>The state at the start of an answer, over the tokens of a model.</summary>
    internal ITokenConstraint Begin(TokenVocabulary vocabulary) =>
        new GrammarConstraint(_automaton, vocabulary, _masks.GetValue(vocabulary, key => new MaskCache(_automaton, key)));
}
