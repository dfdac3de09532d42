using System.Globalization;
using System.Text.Json;
using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>The fields of a request's JSON object. What has the wrong type or is out of range is refused by the field's name; JSON null is absent.</summary>
internal sealed class JsonFields(JsonElement root, string path = "")
{
    private const string Anything = "";

    public JsonElement? Find(string name)
    {
        try
        {
            return root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Invalid("A field's name in the body is not Unicode text: it holds half of a surrogate pair.");
        }
    }

    public string? Text(string name) => Find(name) is { } value ? Text(value, name, "a string") : null;

    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(name, value, "true or false"),
    };

    public int? Integer(string name, int min, int max) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max ? number
        : throw Wrong(name, value, $"a whole number {Range(min, max, int.MaxValue)}");

    /// <param name="aboveMin">Whether <paramref name="min"/> itself is out of range.</param>
    public float? Number(string name, double min, double max = double.MaxValue, bool aboveMin = false) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) && (aboveMin ? number > min : number >= min) && number <= max
            && (float)number is var single && float.IsFinite(single) && (!aboveMin || single > min) ? single
        : throw Wrong(name, value, aboveMin ? $"a number above {min} and up to {max}" : $"a number {Range(min, max, double.MaxValue)}");

    /// <summary>Any 64 bits: a negative number stands for its two's complement.</summary>
    public ulong? Seed(string name) => Find(name) is not { } value ? null
        : value.ValueKind != JsonValueKind.Number ? throw Wrong(name, value, "a whole number of 64 bits")
        : value.TryGetInt64(out long signed) ? unchecked((ulong)signed)
        : value.TryGetUInt64(out ulong unsigned) ? unsigned
        : throw Wrong(name, value, "a whole number of 64 bits");

    /// <summary>A string, or a list of strings; none of them empty.</summary>
    public IReadOnlyList<string> Texts(string name, int most)
    {
        string expected = $"a string or a list of up to {most} strings, none of them empty";
        if (Find(name) is not { } value)
        {
            return [];
        }
        string[] texts = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => Text(item, name, expected))] : [Text(value, name, expected)];
        return texts.Length <= most && texts.All(text => text.Length > 0) ? texts : throw Wrong(name, value, expected);
    }

    /// <summary>A list of whole numbers.</summary>
    public int[]? Ids(string name) => Find(name) is { } value ? Ids(value, name) : null;

    public int[] Ids(JsonElement value, string name)
    {
        const string expected = "a list of token ids";
        return value.ValueKind != JsonValueKind.Array ? throw Wrong(name, value, expected)
            : [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) && id >= 0 ? id : throw Wrong(name, item, expected))];
    }

    public JsonFields? Object(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new JsonFields(value, Path(name) + "."),
        { } value => throw Wrong(name, value, "an object"),
    };

    /// <summary>A list of objects, each with its place as part of its name.</summary>
    public IReadOnlyList<JsonFields>? Objects(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.Object
            ? new JsonFields(item, $"{Path(name)}[{i}].") : throw Wrong($"{name}[{i}]", item, "an object"))],
        { } value => throw Wrong(name, value, "a list of objects"),
    };

    /// <summary>The numbers of an object whose names are token ids.</summary>
    public IEnumerable<KeyValuePair<int, float>> NumbersById(string name, double min, double max)
    {
        string expected = $"an object of token ids (\"12\") and numbers {Range(min, max, double.MaxValue)}";
        if (Find(name) is not { } value)
        {
            return [];
        }
        return value.ValueKind != JsonValueKind.Object ? throw Wrong(name, value, expected) : Read();

        IEnumerable<KeyValuePair<int, float>> Read()
        {
            foreach (var entry in value.EnumerateObject())
            {
                bool ok = int.TryParse(Name(entry), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                    & (entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetDouble(out double number) ? number : double.NaN) is var bias
                    && bias >= min && bias <= max;
                yield return ok ? new(id, (float)bias) : throw Wrong(name, value, expected);
            }
        }
    }

    /// <summary>Refuses a field that is there, other than as false or an empty list, object or string.</summary>
    public void Refuse(string name, string remedy)
    {
        bool there = Find(name) is { } value && value.ValueKind switch
        {
            JsonValueKind.False => false,
            JsonValueKind.Array => value.GetArrayLength() > 0,
            JsonValueKind.Object => value.EnumerateObject().Any(),
            JsonValueKind.String => !value.ValueEquals(Anything),
            _ => true,
        };
        if (there)
        {
            throw ApiException.Invalid($"{Path(name)} is not supported. {remedy}", Path(name), "unsupported_parameter");
        }
    }

    public ApiException Wrong(string name, JsonElement value, string expected) =>
        ApiException.Invalid($"{Path(name)} is {Describe(value)}; expected {expected}.", Path(name), "invalid_value");

    public ApiException Missing(string name, string expected) =>
        ApiException.Invalid($"{Path(name)} is missing; expected {expected}.", Path(name), "missing_required_parameter");

    public string Text(JsonElement value, string name, string expected)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(name, value, expected);
        }
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Invalid($"{Path(name)} is not Unicode text: it holds half of a surrogate pair.", Path(name), "invalid_value");
        }
    }

    public string Path(string name) => path + name;

    private static string? Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number when value.GetRawText() is { Length: <= 32 } text => text,
        JsonValueKind.Number => "a long number",
        JsonValueKind.Null => "null",
        _ => value.GetRawText(),
    };

    private static string Range(double min, double max, double open) => max < open ? $"from {min} to {max}" : $"of at least {min}";
}
