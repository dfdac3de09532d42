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

    /// <summary>Pairs in rank order.</summary>
    public List<(string Left, string Right)> Merges { get; } = [];

    /// <summary>Whether a piece that is a token takes its id whatever the merges say.</summary>
    public bool IgnoreMerges { get; private set; }

    public TextNormalizer Normalizer { get; private set; } = null!;

    public PreTokenizerSteps PreTokenizer { get; private set; } = null!;

    /// <summary>What is put around a text.</summary>
    public PostProcessor Around { get; private set; } = null!;

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
        Around = PostProcessor.Read(Place(root, "post_processor"), Tokens.Length);
    }

    private void ReadSettings(JsonElement root, JsonElement model)
    {
        Setting(model, "model", "type", "BPE", absentIsPlain: true);
        Setting(model, "model", "byte_fallback", "False", absentIsPlain: true);
        Setting(model, "model", "dropout", "", absentIsPlain: true);
        Setting(model, "model", "continuing_subword_prefix", "", absentIsPlain: true);
        Setting(model, "model", "end_of_word_suffix", "", absentIsPlain: true);
        IgnoreMerges = new JsonPlace(_file, "model", model).Flag("ignore_merges", absent: false);
        Normalizer = TextNormalizer.Read(Place(root, "normalizer"));
        PreTokenizer = PreTokenizerReader.Read(Place(root, "pre_tokenizer"));
        JsonPlace decoder = Place(root, "decoder");
        if (decoder.Type != "ByteLevel" && !(decoder.Type == "Sequence" && decoder.Items("decoders").ToArray() is [{ Type: "ByteLevel" }]))
        {
            throw decoder.Unsupported("only ByteLevel is supported");
        }
    }

    private JsonPlace Place(JsonElement root, string key) => new(_file, key, root.TryGetProperty(key, out JsonElement value) ? value : default);

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
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement item in list.EnumerateArray())
        {
            string place = $"added_tokens[{AddedTokens.Count}]";
            Need(item.ValueKind == JsonValueKind.Object && item.TryGetProperty("content", out JsonElement text) && text.ValueKind == JsonValueKind.String
                && text.GetString()!.Length > 0, $"{place}.content is missing or empty; expected the token's text.");
            string content = item.GetProperty("content").GetString()!;
            Need(item.TryGetProperty("id", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int id) && id >= 0,
                $"{place}.id (\"{content}\") is missing or not a whole number from 0.");
            Need(known.Add(content), $"{place} repeats the token \"{content}\".");
            var flags = new JsonPlace(_file, place, item);
            bool special = flags.Flag("special", absent: false);
            AddedTokens.Add(new AddedToken(content, number.GetInt32(), special, flags.Flag("normalized", absent: !special), flags.Flag("single_word", absent: false),
                flags.Flag("lstrip", absent: false), flags.Flag("rstrip", absent: false)));
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
        var seen = new HashSet<(string, string)>();
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
            Need(seen.Add((pair[0], pair[1])), $"{place} repeats the merge \"{pair[0]} {pair[1]}\".");
            Merges.Add((pair[0], pair[1]));
        }
    }

    // A value that must be as given ("" for null or an empty string, or the type name of a nested object).
    private void Setting(JsonElement parent, string place, string key, string plain, bool absentIsPlain)
    {
        bool found = parent.TryGetProperty(key, out JsonElement value);
        Need(found ? value.ToString() == plain : absentIsPlain,
            $"{place}.{key} is {(found ? value.GetRawText() : "missing")}; only {(plain.Length == 0 ? "null" : plain.Replace("True", "true").Replace("False", "false"))} is supported.");
    }

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
