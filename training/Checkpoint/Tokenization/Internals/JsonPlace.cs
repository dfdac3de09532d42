using System.Text.Json;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>A value of a tokenizer file that knows where it stands, so that every refusal names file and key.</summary>
internal readonly record struct JsonPlace(string File, string Key, JsonElement Value)
{
    public bool IsNull => Value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>The value's "type"; empty where there is none.</summary>
    public string Type => Value.ValueKind == JsonValueKind.Object && Value.TryGetProperty("type", out JsonElement type) ? type.ToString() : "";

    /// <summary>A member; null where the object lacks it.</summary>
    public JsonPlace this[string name] => new(File, $"{Key}.{name}", Value.ValueKind == JsonValueKind.Object && Value.TryGetProperty(name, out JsonElement value) ? value : default);

    public IEnumerable<JsonPlace> Items(string name)
    {
        JsonPlace list = this[name];
        if (list.Value.ValueKind != JsonValueKind.Array)
        {
            throw list.Unsupported("expected an array");
        }
        JsonPlace[] items = [.. list.Value.EnumerateArray().Index().Select(item => new JsonPlace(list.File, $"{list.Key}[{item.Index}]", item.Item))];
        return items;
    }

    /// <summary>A truth value; <paramref name="absent"/> where it is missing or null.</summary>
    public bool Flag(string name, bool absent)
    {
        JsonPlace flag = this[name];
        return flag.IsNull ? absent : flag.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.Value.GetBoolean() : throw flag.Unsupported("expected true or false");
    }

    public string Text(string name)
    {
        JsonPlace text = this[name];
        return text.Value.ValueKind == JsonValueKind.String ? text.Value.GetString()! : throw text.Unsupported("expected a text");
    }

    /// <param name="expected">What is supported here.</param>
    public CheckpointException Unsupported(string expected)
    {
        string found = Value.ValueKind == JsonValueKind.Undefined ? "missing" : Type is { Length: > 0 } type ? type : Value.GetRawText();
        return new CheckpointException($"{File}: {Key} is {(found.Length > 200 ? found[..200] + "…" : found)}; {expected}. Fetch the tokenizer again, or train one.");
    }
}
