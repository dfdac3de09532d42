using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>A JSON object on disk, read by dotted keys; every error names file, key, what is there and what was expected.</summary>
internal sealed class JsonFile(string path, JsonElement root)
{
    public string FilePath => path;

    public JsonElement Root => root;

    /// <exception cref="CheckpointException">The file is missing, unreadable or not a JSON object.</exception>
    public static JsonFile Open(string path)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (!Utf8.IsValid(bytes))
            {
                throw new CheckpointException($"{path}: not JSON: it holds bytes that are no UTF-8. Export the package again.");
            }
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonFile(path, document.RootElement.Clone())
                : throw new CheckpointException($"{path}: expected a JSON object, found {document.RootElement.ValueKind}.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: line {e.LineNumber + 1}, byte {e.BytePositionInLine}: not JSON. Export the package again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    public JsonElement? Find(string key)
    {
        var element = root;
        foreach (string part in key.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(part, out element))
            {
                return null;
            }
        }
        return element.ValueKind == JsonValueKind.Null ? null : element;
    }

    public string Text(string key, string? fallback = null) => Find(key) switch
    {
        null => fallback ?? throw Wrong(key, "is missing; expected a string"),
        { ValueKind: JsonValueKind.String } value => Unicode(key, value),
        var value => throw Wrong(key, $"is {value?.GetRawText()}; expected a string"),
    };

    public bool Flag(string key, bool fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        var value => throw Wrong(key, $"is {value?.GetRawText()}; expected true or false"),
    };

    public int Positive(string key) => Find(key) switch
    {
        null => throw Wrong(key, "is missing; expected a positive whole number"),
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int number) && number > 0 => number,
        var value => throw Wrong(key, $"is {value?.GetRawText()}; expected a positive whole number"),
    };

    /// <summary>A whole number of at least 0.</summary>
    public long Count(string key) => Find(key) switch
    {
        null => throw Wrong(key, "is missing; expected a whole number"),
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out long number) && number >= 0 => number,
        var value => throw Wrong(key, $"is {value?.GetRawText()}; expected a whole number"),
    };

    /// <summary>Token ids: one number or a list; an absent key is an empty list, and negative ids mean none.</summary>
    public IEnumerable<int> Ids(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Select(value => Id(key, value)).Where(id => id >= 0).ToArray(),
        var value => new[] { Id(key, value.Value) }.Where(id => id >= 0),
    };

    /// <summary>The objects of a list, each with its place as part of its name; an absent key has none.</summary>
    public IEnumerable<JsonFile> Items(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Select((item, i) => new JsonFile($"{path}: {key}[{i}]", item)),
        var value => throw Wrong(key, $"is {value?.GetRawText()}; expected a list"),
    };

    public void Require([DoesNotReturnIf(false)] bool ok, string key, string problem)
    {
        if (!ok)
        {
            throw Wrong(key, problem);
        }
    }

    private string Unicode(string key, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException) // half of a surrogate pair
        {
            throw Wrong(key, "is no Unicode text; expected a string");
        }
    }

    private int Id(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) ? id : throw Wrong(key, $"is {value.GetRawText()}; expected a token id");

    private CheckpointException Wrong(string key, string problem) => new($"{path}: {key} {problem}. Export the package again.");
}
