using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>Strings and numbers under the demands of a conjunct.</summary>
internal sealed class Scalars(Budget budget)
{
    /// <summary>
    /// Without pattern and format, in any escapes; with them, with the fewest escapes: the automata of all demands are intersected.
    /// Lengths count code points.
    /// </summary>
    public Node String(Conjunct one)
    {
        if (one.MinLength > one.MaxLength)
        {
            return Node.Nothing;
        }
        if (one.Contents.IsEmpty)
        {
            return Quoted(new Repeat(JsonText.Character, one.MinLength, one.MaxLength));
        }
        var content = Intersect(one.Contents);
        if (content is not null && (one.MinLength > 0 || one.MaxLength < Repeat.Unlimited))
        {
            content = OfLength(content, one);
        }
        return content is null ? Node.Nothing : Quoted(new Regular(content));
    }

    /// <summary>Numbers with a range or a multiple are written without an exponent.</summary>
    public Node Number(Conjunct one)
    {
        bool whole = (one.Types & JsonTypes.Fraction) == 0;
        if (one.Bounds.IsEmpty && one.Units.IsEmpty)
        {
            return whole ? JsonText.Whole : JsonText.Number;
        }
        int before = one.Bounds.Select(bound => bound.Value.Whole.Length).Append(JsonText.MostDigits).Max();
        int behind = one.Bounds.Select(bound => bound.Value.Fraction.Length + 2).Append(JsonText.MostDigits).Max();
        var written = Dfa.Of(PatternParser.Parse($"^{JsonText.Decimal(before, whole ? 0 : behind)}$", inString: false), budget);
        var demands = one.Bounds.Distinct().Select(bound => bound.Value.Beyond(bound.IsLower, bound.OrEqual, budget))
            .Concat(one.Units.Distinct().Select(unit => unit.Multiples(budget)));
        return Intersect(demands.Prepend(written)) is { } all ? new Regular(all) : Node.Nothing;
    }

    private Dfa? Intersect(IEnumerable<Dfa?> all) =>
        all.Aggregate((one, other) => one is null || other is null ? null : Dfa.Intersect(one, other, budget));

    private Dfa? OfLength(Dfa content, Conjunct one)
    {
        var lengths = new Automaton(new Repeat(JsonText.Character, one.MinLength, one.MaxLength), budget);
        return Dfa.Build((State: Dfa.Start, Length: lengths.Start), ByteClasses.Refine(content.Classes, lengths.Classes), (at, value) =>
        {
            int next = content.Next(at.State, value);
            var length = lengths.Step(at.Length, value);
            return (next != Dfa.None && !length.IsDead, (next, length));
        }, at => content.Accepts(at.State) && at.Length.Accepts, budget);
    }

    private static Sequence Quoted(Node content) => new(JsonText.QuoteMark, content, JsonText.QuoteMark);
}
