using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LatentMoE.Runtime.Tests.Grammars;

/// <summary>A plain reading of JSON Schema 2020-12 for the keywords that grammars enforce, oneOf taken as anyOf: why a value breaks a schema, or null.</summary>
internal sealed class SchemaValidator(string schema)
{
    private readonly JsonElement _root = JsonDocument.Parse(schema).RootElement;

    public string? Error(string text)
    {
        using var document = JsonDocument.Parse(text);
        return Check(_root, document.RootElement, "$");
    }

    private string? Check(JsonElement schema, JsonElement value, string at)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return schema.GetBoolean() ? null : $"{at}: false";
        }
        foreach (var keyword in schema.EnumerateObject())
        {
            if (Check(keyword.Name, keyword.Value, schema, value, at) is { } error)
            {
                return error;
            }
        }
        return null;
    }

    private string? Check(string keyword, JsonElement rule, JsonElement schema, JsonElement value, string at)
    {
        string? Say(bool holds) => holds ? null : $"{at}: {keyword} {rule.GetRawText()} against {value.GetRawText()}";
        bool number = value.ValueKind == JsonValueKind.Number, text = value.ValueKind == JsonValueKind.String;
        bool array = value.ValueKind == JsonValueKind.Array, isObject = value.ValueKind == JsonValueKind.Object;
        switch (keyword)
        {
            case "type":
                return Say(rule.ValueKind == JsonValueKind.String ? Is(rule.GetString()!, value) : rule.EnumerateArray().Any(type => Is(type.GetString()!, value)));
            case "enum":
                return Say(rule.EnumerateArray().Any(item => JsonElement.DeepEquals(item, value)));
            case "const":
                return Say(JsonElement.DeepEquals(rule, value));
            case "minimum":
                return Say(!number || Scaled(value) >= Scaled(rule));
            case "maximum":
                return Say(!number || Scaled(value) <= Scaled(rule));
            case "exclusiveMinimum":
                return Say(!number || Scaled(value) > Scaled(rule));
            case "exclusiveMaximum":
                return Say(!number || Scaled(value) < Scaled(rule));
            case "multipleOf":
                return Say(!number || Scaled(value) % Scaled(rule) == 0);
            case "minLength":
                return Say(!text || value.GetString()!.EnumerateRunes().Count() >= rule.GetInt32());
            case "maxLength":
                return Say(!text || value.GetString()!.EnumerateRunes().Count() <= rule.GetInt32());
            case "pattern":
                return Say(!text || Regex.IsMatch(value.GetString()!, rule.GetString()!, RegexOptions.ECMAScript));
            case "format":
                return Say(!text || HasFormat(rule.GetString()!, value.GetString()!));
            case "minItems":
                return Say(!array || value.GetArrayLength() >= rule.GetInt32());
            case "maxItems":
                return Say(!array || value.GetArrayLength() <= rule.GetInt32());
            case "prefixItems" when array:
                return rule.EnumerateArray().Zip(value.EnumerateArray(), (one, item) => Check(one, item, at + "[]")).FirstOrDefault(error => error is not null);
            case "items" when array:
                int skip = schema.TryGetProperty("prefixItems", out var first) ? first.GetArrayLength() : 0;
                return value.EnumerateArray().Skip(skip).Select(item => Check(rule, item, at + "[]")).FirstOrDefault(error => error is not null);
            case "required" when isObject:
                return Say(rule.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)));
            case "properties" when isObject:
                return value.EnumerateObject().Where(member => rule.TryGetProperty(member.Name, out _))
                    .Select(member => Check(rule.GetProperty(member.Name), member.Value, $"{at}.{member.Name}")).FirstOrDefault(error => error is not null);
            case "additionalProperties" when isObject:
                return value.EnumerateObject().Where(member => !schema.TryGetProperty("properties", out var named) || !named.TryGetProperty(member.Name, out _))
                    .Select(member => Check(rule, member.Value, $"{at}.{member.Name}")).FirstOrDefault(error => error is not null);
            case "anyOf" or "oneOf":
                return Say(rule.EnumerateArray().Any(option => Check(option, value, at) is null));
            case "allOf":
                return rule.EnumerateArray().Select(part => Check(part, value, at)).FirstOrDefault(error => error is not null);
            case "$ref":
                var target = rule.GetString()!.Split('/').Skip(1).Aggregate(_root, (node, name) => node.GetProperty(name));
                return Check(target, value, at);
            case "prefixItems" or "items" or "required" or "properties" or "additionalProperties" or "$defs" or "title" or "description" or "default" or "$schema" or "$id":
                return null;
            default:
                throw new NotSupportedException(keyword);
        }
    }

    private static bool Is(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && Scaled(value) % BigInteger.Pow(10, 150) == 0,
        "number" => value.ValueKind == JsonValueKind.Number,
        "string" => value.ValueKind == JsonValueKind.String,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => throw new NotSupportedException(type),
    };

    // Times 10^150: exact for any number that is written with two digits of exponent.
    private static BigInteger Scaled(JsonElement value)
    {
        string[] parts = value.GetRawText().ToLowerInvariant().Split('e');
        int point = (parts[0] + ".").IndexOf('.', StringComparison.Ordinal), behind = Math.Max(parts[0].Length - point - 1, 0);
        int exponent = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        return BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * BigInteger.Pow(10, 150 - behind + exponent);
    }

    private static bool HasFormat(string format, string text) => format switch
    {
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "time" => text.Length > 8 && TimeOnly.TryParseExact(text[..8], "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            && Regex.IsMatch(text[8..], @"^(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"),
        "date-time" => text.Split('T') is [var date, var time] && HasFormat("date", date) && HasFormat("time", time),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "ipv4" => System.Net.IPAddress.TryParse(text, out var address) && address.ToString() == text,
        "email" => System.Net.Mail.MailAddress.TryCreate(text, out var mail) && mail.Address == text,
        _ => true,
    };
}
