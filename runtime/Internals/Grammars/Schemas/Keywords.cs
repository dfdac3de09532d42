using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using LatentMoE.Runtime.Internals.Grammars.Automata;
using LatentMoE.Runtime.Internals.Grammars.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>Keywords about one value (JSON Schema 2020-12, Validation): each adds a demand, or says by name why it cannot.</summary>
internal sealed class Keywords(Budget budget)
{
    private readonly Dictionary<string, Dfa?> _patterns = [];

    /// <summary>The conjunct with the keyword's demand; null where it can hold for no value.</summary>
    public Conjunct? Add(Conjunct all, string keyword, SchemaNode schema)
    {
        var value = schema.Value.GetProperty(keyword);
        string where = $"{schema.Pointer}/{keyword}";
        switch (keyword)
        {
            case "type":
                return all with { Types = all.Types & Types(value, where) };
            case "enum":
                return Listed(all, [.. List(value, where)]);
            case "const":
                return Listed(all, [value]);
            case "minLength":
                return all with { MinLength = Math.Max(all.MinLength, Count(value, where)) };
            case "maxLength":
                return all with { MaxLength = Math.Min(all.MaxLength, Count(value, where)) };
            case "minItems":
                return all with { MinItems = Math.Max(all.MinItems, Count(value, where)) };
            case "maxItems":
                return all with { MaxItems = Math.Min(all.MaxItems, Count(value, where)) };
            case "pattern":
                return Content(all, Text(value, where), where);
            case "format":
                return Formats.Pattern(Text(value, where)) is { } pattern ? Content(all, pattern, where) : all;
            case "minimum" or "exclusiveMinimum":
                return all with { Bounds = all.Bounds.Add(new Bound(Number(value, where), true, keyword == "minimum")) };
            case "maximum" or "exclusiveMaximum":
                return all with { Bounds = all.Bounds.Add(new Bound(Number(value, where), false, keyword == "maximum")) };
            case "multipleOf":
                var unit = Number(value, where);
                return !unit.IsNegative && !unit.IsZero ? all with { Units = all.Units.Add(unit) }
                    : throw SchemaDocument.Wrong(where, $"expected a number above 0, found {unit}");
            case "required":
                var names = List(value, where).Select(name => Text(name, where));
                return all with { Required = [.. all.Required.Concat(names).Distinct()] };
            case "properties" or "additionalProperties":
                return keyword == "additionalProperties" && schema.Value.TryGetProperty("properties", out _) ? all
                    : all with { Members = all.Members.Add(Members(schema)) };
            case "prefixItems" or "items":
                return keyword == "items" && schema.Value.TryGetProperty("prefixItems", out _) ? all
                    : all with { Items = all.Items.Add(Items(schema)) };
            case "title" or "description" or "default" or "examples" or "$schema" or "$comment" or "deprecated" or "readOnly" or "writeOnly"
                or "contentEncoding" or "contentMediaType" or "$defs" or "definitions":
            case "$id" when schema.Pointer.Length == 0:
                return all;
            default:
                throw SchemaDocument.Wrong(where, $"the keyword '{keyword}' is not supported, so it could not be enforced. Take it out, or say the same with "
                    + "type, properties, required, items, enum, anyOf or pattern");
        }
    }

    private static Conjunct? Listed(Conjunct all, List<JsonElement> values)
    {
        var both = all.Values is null ? values : all.Values.Where(old => values.Exists(value => JsonElement.DeepEquals(old, value)));
        return all with { Values = [.. both] };
    }

    private Conjunct? Content(Conjunct all, string pattern, string where)
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
        return content is not null ? all with { Contents = all.Contents.Add(content) } : all with { Types = all.Types & ~JsonTypes.String };
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
