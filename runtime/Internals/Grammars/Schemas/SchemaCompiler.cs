using System.Text;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>
/// From a schema to the language of its values. Each set of schemas that must hold for one value becomes one rule, so that a recursive
/// schema becomes a recursive language.
/// </summary>
internal sealed class SchemaCompiler
{
    private readonly Budget _budget = new();
    private readonly Conjunctions _conjunctions;
    private readonly Scalars _scalars;
    private readonly Containers _containers;
    private readonly Dictionary<string, Reference> _rules = [];
    private readonly Queue<(Reference Rule, SchemaNode[] Schemas)> _open = new();

    private SchemaCompiler()
    {
        _conjunctions = new Conjunctions(_budget);
        _scalars = new Scalars(_budget);
        _containers = new Containers(_budget, Rule);
    }

    /// <exception cref="ArgumentException">The schema is wrong, not supported, too complex, or allows no value.</exception>
    public static Automaton Compile(string text)
    {
        try
        {
            var compiler = new SchemaCompiler();
            var root = compiler.Rule([new SchemaDocument(text).Root]);
            while (compiler._open.TryDequeue(out var next))
            {
                next.Rule.Target = compiler.Value(next.Schemas);
            }
            NodeWalk.SettleHeights(root, Automaton.MostLevels);
            return root.Height <= Automaton.MostLevels ? new Automaton(root)
                : throw new ArgumentException($"The schema allows no value of at most {Automaton.MostLevels} levels of nesting. "
                    + "Look for contradicting keywords, or for a required property that contains itself.");
        }
        catch (InvalidOperationException e) // from JsonElement.GetString
        {
            throw new ArgumentException("The schema holds a string with half a surrogate pair.", e);
        }
    }

    /// <summary>The values for which all of the schemas hold.</summary>
    private Node Rule(IEnumerable<SchemaNode> schemas)
    {
        SchemaNode[] set = [.. schemas.Where(schema => schema.Value.ValueKind != JsonValueKind.True).Distinct().OrderBy(schema => schema.Id)];
        string key = string.Join(' ', set.Select(schema => schema.Id));
        if (!_rules.TryGetValue(key, out var rule))
        {
            _budget.Spend(100);
            _rules[key] = rule = new Reference();
            _open.Enqueue((rule, set));
        }
        return rule;
    }

    private Choice Value(SchemaNode[] schemas) =>
        new([.. _conjunctions.Of(schemas).Select(one => one.Values is null ? Any(one) : Listed(one))]);

    private Choice Any(Conjunct one)
    {
        var options = new List<Node>();
        void Add(JsonTypes type, Func<Node> language)
        {
            if ((one.Types & type) != 0)
            {
                options.Add(language());
            }
        }
        Add(JsonTypes.Null, () => JsonText.Null);
        Add(JsonTypes.Boolean, () => JsonText.Boolean);
        Add(JsonTypes.Number, () => _scalars.Number(one));
        Add(JsonTypes.String, () => _scalars.String(one));
        Add(JsonTypes.Array, () => _containers.Array(one));
        Add(JsonTypes.Object, () => _containers.Object(one));
        return new Choice([.. options]);
    }

    // The listed values for which the other demands hold, written compactly.
    private Node Listed(Conjunct one)
    {
        _budget.Spend(10L * one.Values!.Count);
        JsonElement[] values = [.. one.Values.Select(listed => listed.Value).Where(value => (TypeOf(value) & one.Types) != 0)];
        if (one with { Values = null, Types = JsonTypes.All } != new Conjunct())
        {
            var numbers = new Lazy<Automaton>(() => new Automaton(_scalars.Number(one), _budget));
            var strings = new Lazy<Automaton>(() => new Automaton(_scalars.String(one), _budget));
            values = [.. values.Where(value => Satisfies(value, one, numbers, strings))];
        }
        return JsonText.Literals([.. values.Select(value => Encoding.UTF8.GetBytes(JsonText.Compact(value)))], _budget,
            values.Select(JsonText.Levels).DefaultIfEmpty().Max());
    }

    private bool Satisfies(JsonElement value, Conjunct one, Lazy<Automaton> numbers, Lazy<Automaton> strings)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                string text = DecimalText.Parse(value.GetRawText())?.ToString() ?? throw _budget.TooComplex("a listed number has too many digits");
                return numbers.Value.Accepts(Encoding.UTF8.GetBytes(text));
            case JsonValueKind.String:
                return strings.Value.Accepts(Encoding.UTF8.GetBytes(JsonText.Compact(value)));
            case JsonValueKind.Object when !one.Members.IsEmpty || !one.Required.IsEmpty:
            case JsonValueKind.Array when !one.Items.IsEmpty || one.MinItems > 0 || one.MaxItems < Repeat.Unlimited:
                throw SchemaDocument.Wrong(_budget.Where, "an object or a list in 'enum' or 'const' beside keywords about its members is not supported. "
                    + "Take out the other keywords: the value says it all");
            default:
                return true;
        }
    }

    private static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.Object => JsonTypes.Object,
        _ => DecimalText.Parse(value.GetRawText()) is { IsWhole: false } ? JsonTypes.Fraction : JsonTypes.Whole,
    };
}
