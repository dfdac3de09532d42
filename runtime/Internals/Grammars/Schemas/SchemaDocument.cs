using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LatentMoE.Runtime.Internals.Grammars.Schemas;

/// <summary>A schema, or one within another, and where it stands.</summary>
/// <param name="Pointer">Its JSON pointer, empty for the whole.</param>
internal sealed record SchemaNode(SchemaDocument Document, int Id, string Pointer, JsonElement Value)
{
    public bool Equals(SchemaNode? other) => other is not null && Id == other.Id;

    public override int GetHashCode() => Id;

    /// <summary>The schema that stands there within this one.</summary>
    public SchemaNode Child(params ReadOnlySpan<string> path)
    {
        var (value, pointer) = (Value, Pointer);
        foreach (string step in path)
        {
            value = value.ValueKind == JsonValueKind.Array ? value[int.Parse(step, CultureInfo.InvariantCulture)] : value.GetProperty(step);
            pointer += "/" + step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        }
        return Document.At(pointer, value);
    }
}

/// <summary>The text of a schema, within limits. Schemas within it have one node each, by their pointers.</summary>
internal sealed class SchemaDocument
{
    private const int MostBytes = 256 * 1024, MostValues = 10_000, MostLevels = 256;
    private readonly Dictionary<string, SchemaNode> _nodes = [];

    /// <exception cref="ArgumentException">It is no JSON, or too large.</exception>
    public SchemaDocument(string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > MostBytes)
        {
            throw new ArgumentException($"The schema has {bytes} bytes; at most {MostBytes} are read.");
        }
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MostLevels, AllowDuplicateProperties = false });
            Root = At("", document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The schema is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine}: {e.Message}", e);
        }
        int values = Count(Root.Value);
        if (values > MostValues)
        {
            throw new ArgumentException($"The schema holds {values} values; at most {MostValues} are read.");
        }
    }

    public SchemaNode Root { get; }

    public SchemaNode At(string pointer, JsonElement value)
    {
        if (!_nodes.TryGetValue(pointer, out var node))
        {
            if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
            {
                throw Wrong(pointer, $"expected a schema (an object, true or false), found {Shorten(value)}");
            }
            _nodes[pointer] = node = new SchemaNode(this, _nodes.Count, pointer, value);
        }
        return node;
    }

    /// <summary>The schema that a <c>$ref</c> names.</summary>
    public SchemaNode Resolve(string reference, string where)
    {
        if (reference != "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
        {
            throw Wrong(where, $"\"{reference}\" is not supported; only \"#\" and pointers into the same schema (\"#/$defs/…\") are");
        }
        var node = Root;
        var value = Root.Value;
        string pointer = "";
        foreach (string part in Uri.UnescapeDataString(reference).Split('/').Skip(1))
        {
            string name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            bool found = value.ValueKind == JsonValueKind.Object ? value.TryGetProperty(name, out value)
                : value.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int at) && at < value.GetArrayLength()
                && (value = value[at]).ValueKind != JsonValueKind.Undefined;
            pointer += "/" + part;
            if (!found)
            {
                throw Wrong(where, $"\"{reference}\" names nothing: there is no '#{pointer}'");
            }
            node = null;
        }
        return node ?? At(pointer, value);
    }

    public static ArgumentException Wrong(string pointer, string what) => new($"The schema at '#{pointer}': {what}.");

    public static string Shorten(JsonElement value) =>
        value.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : value.GetRawText();

    private static int Count(JsonElement value) => 1 + value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Sum(member => Count(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().Sum(Count),
        _ => 0,
    };
}
