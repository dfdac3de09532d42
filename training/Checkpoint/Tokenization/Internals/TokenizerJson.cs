using System.Text.Json;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>
/// The parts of a Hugging Face <c>tokenizer.json</c> that decide ids, read and checked. Whatever would make ids differ from what
/// Hugging Face's tokenizers gives, and is not supported, is refused by name.
/// </summary>
internal sealed class TokenizerJson
{
    private readonly string _file;

    private TokenizerJson(string file) => _file = file;

    public Dictionary<string, int> Vocabulary { get; } = new(StringComparer.Ordinal);

    public List<string> Merges { get; } = [];

    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary>Tokens by id: the vocabulary and the added tokens, without gaps.</summary>
    public string[] Tokens { get; private set; } = [];

    public static TokenizerJson Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new CheckpointException($"{file}: no such file. Expected the tokenizer.json of a Hugging Face checkpoint folder.");
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            var json = new TokenizerJson(file);
            json.Read(document.RootElement);
            return json;
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException($"{file}: a string is not Unicode text (half of a surrogate pair): {e.Message} "
                + "Copy the file again, or train the tokenizer again.", e);
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: line {e.LineNumber + 1}, byte {e.BytePositionInLine}: not JSON: {e.Message} "
                + "Copy the file again, or train the tokenizer again.", e);
        }
    }

    private void Read(JsonElement root)
    {
        Need(root.ValueKind == JsonValueKind.Object, $"expected a JSON object, found {root.ValueKind}.");
        JsonElement model = Object(root, "model", "model");
        ReadSettings(root, model);
        ReadVocabulary(Object(model, "vocab", "model.vocab"));
        ReadAddedTokens(root);
        OrderById();
        ReadMerges(model);
    }

    private void ReadSettings(JsonElement root, JsonElement model)
    {
        Setting(model, "model", "type", "BPE", absentIsPlain: true);
        Setting(model, "model", "byte_fallback", "False", absentIsPlain: true);
        Setting(model, "model", "ignore_merges", "False", absentIsPlain: true);
        Setting(model, "model", "dropout", "", absentIsPlain: true);
        Setting(model, "model", "continuing_subword_prefix", "", absentIsPlain: true);
        Setting(model, "model", "end_of_word_suffix", "", absentIsPlain: true);
        Need(Type(root, "normalizer") is "" || IsEmptySequence(root), $"normalizer is {Type(root, "normalizer")}; only null is supported.");
        Need(Type(root, "pre_tokenizer") == "ByteLevel", $"pre_tokenizer is {Named(Type(root, "pre_tokenizer"))}; only ByteLevel (GPT-2's pattern) is supported.");
        JsonElement split = root.GetProperty("pre_tokenizer");
        Setting(split, "pre_tokenizer", "add_prefix_space", "False", absentIsPlain: false);
        Setting(split, "pre_tokenizer", "use_regex", "True", absentIsPlain: true);
        Need(Type(root, "decoder") == "ByteLevel", $"decoder is {Named(Type(root, "decoder"))}; only ByteLevel is supported.");
        Need(Type(root, "post_processor") is "" or "ByteLevel" or "TemplateProcessing",
            $"post_processor is {Type(root, "post_processor")}; supported are null, ByteLevel and TemplateProcessing.");
    }

    private void ReadVocabulary(JsonElement vocabulary)
    {
        foreach (JsonProperty entry in vocabulary.EnumerateObject())
        {
            Need(entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out int id) && id >= 0,
                $"model.vocab[\"{entry.Name}\"] is {entry.Value.GetRawText()}; expected a token id, a whole number from 0.");
            Need(Vocabulary.TryAdd(entry.Name, entry.Value.GetInt32()), $"model.vocab has the token \"{entry.Name}\" twice.");
        }
        for (int value = 0; value < 256; value++)
        {
            Need(Vocabulary.ContainsKey(ByteAlphabet.Symbol((byte)value)),
                $"model.vocab lacks \"{ByteAlphabet.Symbol((byte)value)}\", the symbol of byte 0x{value:X2}; "
                    + "a byte-level vocabulary has all 256, so that any text can be encoded.");
        }
    }

    private void ReadAddedTokens(JsonElement root)
    {
        if (!root.TryGetProperty("added_tokens", out JsonElement list) || list.ValueKind == JsonValueKind.Null)
        {
            return;
        }
        Need(list.ValueKind == JsonValueKind.Array, $"added_tokens is {list.ValueKind}; expected an array.");
        foreach (JsonElement item in list.EnumerateArray())
        {
            string place = $"added_tokens[{AddedTokens.Count}]";
            Need(item.ValueKind == JsonValueKind.Object && item.TryGetProperty("content", out JsonElement text) && text.ValueKind == JsonValueKind.String
                && text.GetString()!.Length > 0, $"{place}.content is missing or empty; expected the token's text.");
            string content = item.GetProperty("content").GetString()!;
            Need(item.TryGetProperty("id", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int id) && id >= 0,
                $"{place}.id (\"{content}\") is missing or not a whole number from 0.");
            foreach (string flag in (ReadOnlySpan<string>)["single_word", "lstrip", "rstrip"])
            {
                Setting(item, place, flag, "False", absentIsPlain: true);
            }
            Need(AddedTokens.TrueForAll(earlier => earlier.Content != content), $"{place} repeats the token \"{content}\".");
            bool special = item.TryGetProperty("special", out JsonElement mark) && mark.ValueKind == JsonValueKind.True;
            AddedTokens.Add(new AddedToken(content, number.GetInt32(), special));
        }
    }

    private void OrderById()
    {
        foreach (AddedToken added in AddedTokens)
        {
            Need(!Vocabulary.TryGetValue(added.Content, out int id) || id == added.Id,
                $"\"{added.Content}\" has the id {added.Id} in added_tokens but {id} in model.vocab.");
        }
        var byId = new Dictionary<int, string>();
        foreach (var (token, id) in Vocabulary.Concat(AddedTokens.Select(t => KeyValuePair.Create(t.Content, t.Id))))
        {
            Need(byId.TryAdd(id, token) || byId[id] == token, $"tokens \"{byId[id]}\" and \"{token}\" both have the id {id}.");
        }
        Tokens = new string[byId.Count];
        for (int id = 0; id < Tokens.Length; id++)
        {
            Need(byId.TryGetValue(id, out Tokens[id]!), $"no token has the id {id}, "
                + $"but there are {byId.Count} tokens; ids must run from 0 without gaps.");
        }
    }

    private void ReadMerges(JsonElement model)
    {
        Need(model.TryGetProperty("merges", out JsonElement merges) && merges.ValueKind == JsonValueKind.Array, "model.merges is missing; expected an array.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement item in merges.EnumerateArray())
        {
            string place = $"model.merges[{Merges.Count}]";
            string[] pair = item.ValueKind switch
            {
                JsonValueKind.String => item.GetString()!.Split(' '),
                JsonValueKind.Array when item.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) => [.. item.EnumerateArray().Select(part => part.GetString()!)],
                _ => [],
            };
            Need(pair.Length == 2 && pair[0].Length > 0 && pair[1].Length > 0, $"{place} is {item.GetRawText()}; expected two tokens, \"left right\" or [\"left\", \"right\"].");
            foreach (string token in (ReadOnlySpan<string>)[pair[0], pair[1], pair[0] + pair[1]])
            {
                Need(Vocabulary.ContainsKey(token), $"{place} ({pair[0]} {pair[1]}) needs the token \"{token}\", which model.vocab lacks; "
                    + "vocabulary and merges must come from the same training.");
            }
            string merge = $"{pair[0]} {pair[1]}";
            Need(seen.Add(merge), $"{place} repeats the merge \"{merge}\".");
            Merges.Add(merge);
        }
    }

    // A value that must be as given ("" for null or an empty string, or the type name of a nested object).
    private void Setting(JsonElement parent, string place, string key, string plain, bool absentIsPlain)
    {
        bool found = parent.TryGetProperty(key, out JsonElement value);
        Need(found ? value.ToString() == plain : absentIsPlain,
            $"{place}.{key} is {(found ? value.GetRawText() : "missing")}; only {(plain.Length == 0 ? "null" : plain.Replace("True", "true").Replace("False", "false"))} is supported.");
    }

    private static string Type(JsonElement root, string key) => !root.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? ""
        : value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out JsonElement type) ? type.ToString() : value.GetRawText();

    private static string Named(string type) => type.Length == 0 ? "missing" : type;

    private static bool IsEmptySequence(JsonElement root) => Type(root, "normalizer") == "Sequence"
        && root.GetProperty("normalizer").TryGetProperty("normalizers", out JsonElement list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() == 0;

    private JsonElement Object(JsonElement parent, string key, string place)
    {
        bool found = parent.TryGetProperty(key, out JsonElement value);
        Need(found && value.ValueKind == JsonValueKind.Object, $"{place} is {(found ? value.ValueKind.ToString() : "missing")}; expected an object.");
        return value;
    }

    private void Need(bool condition, string problem)
    {
        if (!condition)
        {
            throw new CheckpointException($"{_file}: {problem} Fetch the tokenizer again, or train one.");
        }
    }
}

/// <summary>A token that is found in the text before it is cut into pieces.</summary>
internal sealed record AddedToken(string Content, int Id, bool Special);
