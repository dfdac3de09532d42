using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>Schemas that must hold together, as alternatives of demands: anyOf and oneOf are multiplied out, allOf and $ref merged.</summary>
internal sealed class Conjunctions(Budget budget)
{
    private const int MostAlternatives = 1000;
    private readonly Keywords _keywords = new(budget);
    private readonly HashSet<SchemaNode> _within = [];

    public ImmutableList<Conjunct> Of(IEnumerable<SchemaNode> schemas) =>
        schemas.Aggregate(ImmutableList.Create(new Conjunct()), Add);

    private ImmutableList<Conjunct> Add(ImmutableList<Conjunct> all, SchemaNode schema)
    {
        if (schema.Value.ValueKind != JsonValueKind.Object || all.IsEmpty)
        {
            return schema.Value.ValueKind == JsonValueKind.False ? [] : all;
        }
        if (!_within.Add(schema))
        {
            throw SchemaDocument.Wrong(schema.Pointer, "this schema refers to itself for the same value, without end. "
                + "A recursive $ref must stand below properties or items");
        }
        foreach (var keyword in schema.Value.EnumerateObject())
        {
            budget.Where = $"{schema.Pointer}/{keyword.Name}";
            budget.Spend(10 * Math.Max(all.Count, 1));
            all = Add(all, keyword, schema);
            if (all.Count > MostAlternatives)
            {
                throw budget.TooComplex($"it has more than {MostAlternatives} alternatives");
            }
        }
        _within.Remove(schema);
        return all;
    }

    private ImmutableList<Conjunct> Add(ImmutableList<Conjunct> all, JsonProperty keyword, SchemaNode schema)
    {
        string where = $"{schema.Pointer}/{keyword.Name}";
        switch (keyword.Name)
        {
            case "$ref":
                return keyword.Value.ValueKind == JsonValueKind.String ? Add(all, schema.Document.Resolve(keyword.Value.GetString()!, where))
                    : throw SchemaDocument.Wrong(where, $"expected a string, found {SchemaDocument.Shorten(keyword.Value)}");
            case "allOf":
                return Listed(keyword, schema, where).Aggregate(all, Add);
            case "anyOf" or "oneOf":
                var before = all;
                return [.. Listed(keyword, schema, where).SelectMany(option => Add(before, option)).Take(MostAlternatives + 1)];
            default:
                if (all.IsEmpty)
                {
                    return all;
                }
                var demand = _keywords.Of(keyword.Name, schema);
                budget.Spend((long)all.Count * demand.Size);
                return [.. all.Select(demand.AddTo)];
        }
    }

    private IEnumerable<SchemaNode> Listed(JsonProperty keyword, SchemaNode schema, string where)
    {
        int count = keyword.Value.ValueKind == JsonValueKind.Array ? keyword.Value.GetArrayLength() : 0;
        budget.Spend(count);
        return count > 0 ? keyword.Value.EnumerateArray().Select((option, i) => schema.Document.At(string.Create(CultureInfo.InvariantCulture, $"{where}/{i}"), option))
            : throw SchemaDocument.Wrong(where, $"expected a list of schemas, found {SchemaDocument.Shorten(keyword.Value)}");
    }
}
