using System.Text;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>Arrays and objects under the demands of a conjunct. Declared properties come in the order of the schema, others after them.</summary>
/// <param name="rule">The values for which all of some schemas hold.</param>
internal sealed class Containers(Budget budget, Func<IEnumerable<SchemaNode>, Node> rule)
{
    private static readonly Sequence Comma = new(JsonText.Literal(","), JsonText.Gap);

    public Node Array(Conjunct one)
    {
        if (one.MinItems > one.MaxItems)
        {
            return Node.Nothing;
        }
        int first = Math.Min(one.Items.Select(rules => rules.First.Count).DefaultIfEmpty().Max(), one.MaxItems);
        budget.Spend(first * 10L * Math.Max(one.Items.Count, 1));
        var other = rule(one.Items.Select(rules => rules.Others).OfType<SchemaNode>());
        // What may follow an item: from the last of the first ones back.
        Node after = new Repeat(new Sequence(Comma, other), Math.Max(one.MinItems - Math.Max(first, 1), 0),
            one.MaxItems == Repeat.Unlimited ? one.MaxItems : Math.Max(one.MaxItems - Math.Max(first, 1), 0));
        Node items = new Sequence(other, after);
        for (int i = first - 1; i >= 0; i--)
        {
            int at = i;
            items = new Sequence(rule(one.Items.Select(rules => at < rules.First.Count ? rules.First[at] : rules.Others).OfType<SchemaNode>()), after);
            after = OrEnd(one.MinItems <= i, new Sequence(Comma, items));
        }
        return Container("[", OrEnd(one.MinItems == 0, one.MaxItems == 0 ? Node.Nothing : new Sequence(items, JsonText.Gap)), "]");
    }

    public Node Object(Conjunct one)
    {
        budget.Spend(one.Members.Sum(rules => (long)rules.Order.Count) + one.Required.Sum(list => (long)list.Count));
        var required = one.Required.SelectMany(list => list).ToHashSet();
        string[] names = [.. one.Members.SelectMany(rules => rules.Order).Concat(one.Required.SelectMany(list => list)).Distinct()];
        budget.Spend(names.Sum(name => name.Length + 10L) * Math.Max(one.Members.Count, 1));
        var other = Other(one, names);
        // The members from one on, at least one of them; and what may follow a member.
        Node after = new Repeat(new Sequence(Comma, other), 0, Repeat.Unlimited);
        Node members = new Sequence(other, after);
        bool mayEnd = true;
        foreach (string name in names.Reverse())
        {
            var value = rule(one.Members.Select(rules => rules.For(name)).OfType<SchemaNode>());
            var member = new Sequence(JsonText.Literal(JsonText.Quote(name) + ":"), JsonText.OptionalSpace, value, after);
            members = required.Contains(name) ? member : new Choice(member, members);
            mayEnd &= !required.Contains(name);
            after = OrEnd(mayEnd, new Sequence(Comma, members));
        }
        return Container("{", OrEnd(mayEnd, new Sequence(members, JsonText.Gap)), "}");
    }

    // A member that is not declared; its name with the fewest escapes where it must differ from declared ones.
    private Sequence Other(Conjunct one, string[] names)
    {
        var name = names.Length == 0 ? JsonText.AnyString : new Regular(Except(names));
        return new Sequence(name, JsonText.Literal(":"), JsonText.OptionalSpace, rule(one.Members.Select(rules => rules.Others).OfType<SchemaNode>()));
    }

    private Dfa Except(string[] names)
    {
        var taken = Dfa.OfLiterals([.. names.Select(name => Encoding.UTF8.GetBytes(JsonText.Quote(name)))], budget);
        var any = JsonText.PlainString;
        return Dfa.Build((Any: Dfa.Start, Taken: Dfa.Start), ByteClasses.Refine(any.Classes, taken.Classes),
            (at, value) => any.Next(at.Any, value) is var next and not Dfa.None ? (true, (next, at.Taken == Dfa.None ? Dfa.None : taken.Next(at.Taken, value))) : default,
            at => any.Accepts(at.Any) && (at.Taken == Dfa.None || !taken.Accepts(at.Taken)), budget)!;
    }

    private static Nested Container(string open, Node inside, string close) =>
        new(new Sequence(JsonText.Literal(open), JsonText.Gap, inside, JsonText.Literal(close)));

    private static Choice OrEnd(bool mayEnd, Node more) => mayEnd ? new Choice(Node.Empty, more) : new Choice(more);
}
