using System.Text.Json;

namespace LatentMoE.Checkpoints.Internals;

/// <summary>Typed reading of a JSON object's keys. A key whose value is null counts as absent; errors name file and key.</summary>
/// <param name="prefix">Of the keys' names in errors, where the object is itself a value.</param>
internal sealed class JsonKeys(JsonElement root, string file, string prefix = "")
{
    public string File => file;

    public IEnumerable<string> Names => root.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null).Select(p => p.Name);

    public bool Has(string key) => Find(key, out _);

    public int Int(string key) => OptionalInt(key) ?? throw new CheckpointException($"{file}: {prefix}{key} is missing; expected a whole number.");

    public int Int(string key, int fallback) => OptionalInt(key) ?? fallback;

    public int? OptionalInt(string key) => !Find(key, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number
        : throw Wrong(key, "a whole number");

    /// <summary>A whole number, or the first of a list of them.</summary>
    public int? FirstInt(string key)
    {
        if (!Find(key, out var value) || value.ValueKind != JsonValueKind.Array)
        {
            return OptionalInt(key);
        }
        return value.EnumerateArray().All(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out _))
            ? value.EnumerateArray().Select(id => (int?)id.GetInt32()).FirstOrDefault()
            : throw Wrong(key, "a whole number or a list of them");
    }

    public double Number(string key) =>
        Has(key) ? Number(key, 0) : throw new CheckpointException($"{file}: {prefix}{key} is missing; expected a number.");

    public double Number(string key, double fallback) => !Find(key, out var value) ? fallback
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(key, "a number");

    public bool Flag(string key, bool fallback) => !Find(key, out var value) ? fallback
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, "true or false");

    public string Text(string key, string fallback) => !Find(key, out var value) ? fallback
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(key, "a string");

    /// <summary>The keys of an object; null where it is absent.</summary>
    public JsonKeys? Object(string key) => !Find(key, out var value) ? null
        : value.ValueKind == JsonValueKind.Object ? new(value, file, $"{prefix}{key}.") : throw Wrong(key, "an object");

    /// <summary>Refuses every key but the given ones.</summary>
    /// <param name="what">What the others would do, a whole sentence.</param>
    public void RequireKnown(IReadOnlyCollection<string> known, string what)
    {
        if (Names.FirstOrDefault(name => !known.Contains(name)) is string unknown)
        {
            throw new CheckpointException($"{file}: {prefix}{unknown} is {root.GetProperty(unknown).GetRawText()}. {what}");
        }
    }

    public CheckpointException Wrong(string key, string expected) =>
        new($"{file}: {prefix}{key} is {root.GetProperty(key).GetRawText()}; expected {expected}.");

    public bool Find(string key, out JsonElement value) => root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
}
