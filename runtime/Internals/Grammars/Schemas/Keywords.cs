using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>What a keyword demands of a value, and how many entries its list has: what adding it to a conjunct is charged.</summary>
internal sealed record Demand(Func<Conjunct, Conjunct> AddTo, int Size = 0)
{
    public static Demand None { get; } = new(all => all);
}

/// <summary>Keywords about one value (JSON Schema 2020-12, Validation): each adds a demand, or says by name why it cannot.</summary>
internal sealed class Keywords(Budget budget)
{
    private readonly Dictionary<string, Dfa?> _patterns = [];

    private readonly Dictionary<string, Demand> _demands = [];

    /// <summary>The demand of a schema's keyword, which is read once.</summary>
    public Demand Of(string keyword, SchemaNode schema)
    {
        string where = $"{schema.Pointer}/{keyword}";
        if (!_demands.TryGetValue(where, out var demand))
        {
            _demands[where] = demand = Read(keyword, schema, schema.Value.GetProperty(keyword), where);
        }
        return demand;
    }

    private Demand Read(string keyword, SchemaNode schema, JsonElement value, string where)
    {
        switch (keyword)
        {
            case "type":
                var types = Types(value, where);
                return new Demand(all => all with { Types = all.Types & types });
            case "enum":
                return Listed([.. List(value, where)]);
            case "const":
                return Listed([value]);
            case "minLength" or "maxLength" or "minItems" or "maxItems":
                return Counted(keyword, Count(value, where));
            case "pattern":
                return Content(Text(value, where), where);
            case "format":
                return Formats.Pattern(Text(value, where)) is { } pattern ? Content(pattern, where) : Demand.None;
            case "minimum" or "exclusiveMinimum" or "maximum" or "exclusiveMaximum":
                var bound = new Bound(Number(value, where), keyword is "minimum" or "exclusiveMinimum", keyword is "minimum" or "maximum");
                return new Demand(all => all with { Bounds = all.Bounds.Add(bound) });
            case "multipleOf":
                var unit = Number(value, where);
                return !unit.IsNegative && !unit.IsZero ? new Demand(all => all with { Units = all.Units.Add(unit) })
                    : throw SchemaDocument.Wrong(where, $"expected a number above 0, found {unit}");
            case "required":
                string[] names = [.. List(value, where).Select(name => Text(name, where)).Distinct()];
                return names.Length == 0 ? Demand.None : new Demand(all => all with { Required = all.Required.Add(names) }, names.Length);
            case "properties" or "additionalProperties":
                if (keyword == "additionalProperties" && schema.Value.TryGetProperty("properties", out _))
                {
                    return Demand.None;
                }
                var members = Members(schema);
                return new Demand(all => all with { Members = all.Members.Add(members) }, members.Order.Count);
            case "prefixItems" or "items":
                if (keyword == "items" && schema.Value.TryGetProperty("prefixItems", out _))
                {
                    return Demand.None;
                }
                var items = Items(schema);
                return new Demand(all => all with { Items = all.Items.Add(items) }, items.First.Count);
            case "title" or "description" or "default" or "examples" or "$schema" or "$comment" or "deprecated" or "readOnly" or "writeOnly"
                or "contentEncoding" or "contentMediaType" or "$defs" or "definitions":
            case "$id" when schema.Pointer.Length == 0:
                return Demand.None;
            default:
                throw SchemaDocument.Wrong(where, $"the keyword '{keyword}' is not supported, so it could not be enforced. Take it out, or say the same with "
                    + "type, properties, required, items, enum, anyOf or pattern");
        }
    }

    private static Demand Counted(string keyword, int count) => new(keyword switch
    {
        "minLength" => all => all with { MinLength = Math.Max(all.MinLength, count) },
        "maxLength" => all => all with { MaxLength = Math.Min(all.MaxLength, count) },
        "minItems" => all => all with { MinItems = Math.Max(all.MinItems, count) },
        _ => all => all with { MaxItems = Math.Min(all.MaxItems, count) },
    });

    private Demand Listed(IReadOnlyList<JsonElement> values)
    {
        ListedValue[] listed = [.. values.Select(value => new ListedValue(Key(value), value))];
        var keys = listed.Select(value => value.Key).ToHashSet();
        return new Demand(all =>
        {
            budget.Spend(all.Values?.Count ?? 0);
            return all with { Values = all.Values is null ? listed : [.. all.Values.Where(old => keys.Contains(old.Key))] };
        }, listed.Length);
    }

    // The same for equal values: numbers by what they amount to (very long ones as they are written), members in order.
    private static string Key(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => JsonText.Quote(member.Name) + ":" + Key(member.Value))) + "}",
        JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Key)) + "]",
        JsonValueKind.Number => DecimalText.Parse(value.GetRawText())?.ToString() ?? value.GetRawText(),
        _ => JsonText.Compact(value),
    };

    private Demand Content(string pattern, string where)
    {
        if (!_patterns.TryGetValue(pattern, out var content))
        {
            budget.Where = where;
            try
            {
                _patterns[pattern] = content = Dfa.Of(PatternParser.Parse(pattern, inString: true), budget);
            }
            catch (FormatException e)
            {
                throw SchemaDocument.Wrong(where, $"the pattern \"{pattern}\" cannot be enforced: {e.Message}");
            }
        }
        return new Demand(content is not null ? all => all with { Contents = all.Contents.Add(content) } : all => all with { Types = all.Types & ~JsonTypes.String });
    }

    private static MemberRules Members(SchemaNode schema)
    {
        var named = new Dictionary<string, SchemaNode>();
        if (schema.Value.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.ValueKind == JsonValueKind.Object ? properties.EnumerateObject()
                : throw SchemaDocument.Wrong($"{schema.Pointer}/properties", $"expected an object, found {SchemaDocument.Shorten(properties)}"))
            {
                named[property.Name] = schema.Child("properties", property.Name);
            }
        }
        return new MemberRules(named, [.. named.Keys], schema.Value.TryGetProperty("additionalProperties", out _) ? schema.Child("additionalProperties") : null);
    }

    private static ItemRules Items(SchemaNode schema)
    {
        int first = schema.Value.TryGetProperty("prefixItems", out var prefix) ? List(prefix, $"{schema.Pointer}/prefixItems").Count() : 0;
        return new ItemRules([.. Enumerable.Range(0, first).Select(i => schema.Child("prefixItems", i.ToString(CultureInfo.InvariantCulture)))],
            schema.Value.TryGetProperty("items", out _) ? schema.Child("items") : null);
    }

    private static JsonTypes Types(JsonElement value, string where) => value.ValueKind == JsonValueKind.Array
        ? List(value, where).Aggregate(JsonTypes.None, (types, name) => types | Types(Text(name, where), where)) : Types(Text(value, where), where);

    private static JsonTypes Types(string name, string where) => name switch
    {
        "null" => JsonTypes.Null,
        "boolean" => JsonTypes.Boolean,
        "integer" => JsonTypes.Whole,
        "number" => JsonTypes.Number,
        "string" => JsonTypes.String,
        "array" => JsonTypes.Array,
        "object" => JsonTypes.Object,
        _ => throw SchemaDocument.Wrong(where, $"\"{name}\" is no type; expected null, boolean, integer, number, string, array or object"),
    };

    private static string Text(JsonElement value, string where) => value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw SchemaDocument.Wrong(where, $"expected a string, found {SchemaDocument.Shorten(value)}");

    private static JsonElement.ArrayEnumerator List(JsonElement value, string where) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray()
        : throw SchemaDocument.Wrong(where, $"expected a list, found {SchemaDocument.Shorten(value)}");

    private static int Count(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.Number && DecimalText.Parse(value.GetRawText()) is { IsNegative: false, IsWhole: true } number
        && int.TryParse(number.Whole, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count < Repeat.Unlimited ? count
        : throw SchemaDocument.Wrong(where, $"expected a whole number from 0 to {Repeat.Unlimited - 1}, found {SchemaDocument.Shorten(value)}");

    private static DecimalText Number(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.Number ? DecimalText.Parse(value.GetRawText()) ?? throw SchemaDocument.Wrong(where, $"{SchemaDocument.Shorten(value)} has too many digits; 60 are compared")
        : throw SchemaDocument.Wrong(where, $"expected a number, found {SchemaDocument.Shorten(value)}");
}
