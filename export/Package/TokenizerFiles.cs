using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Export.Package.Internals;

namespace LatentMoE.Export.Package;

/// <summary>The files of a checkpoint that go into the package as they are, and the token ids that they name.</summary>
internal sealed class TokenizerFiles
{
    private const string Tokenizer = "tokenizer.json", TokenizerConfig = "tokenizer_config.json", Generation = "generation_config.json", Config = "config.json";

    // Other class names make GenAI choose other rules than those in tokenizer.json, or refuse the folder.
    private const string SafeClass = "PreTrainedTokenizerFast";
    private static readonly string[] Copied = [Tokenizer, TokenizerConfig, "chat_template.jinja", "special_tokens_map.json", Config, Generation];
    private static readonly string[] OfTheCheckpoint = ["quantization_config", "auto_map"];
    private readonly string folder;
    private readonly JsonObject settings;
    private readonly JsonObject? model;

    private TokenizerFiles(string folder, JsonObject settings, JsonObject? model) => (this.folder, this.settings, this.model) = (folder, settings, model);

    public int? BosTokenId { get; private init; }

    /// <summary>Ids that end a text; several where the checkpoint says so.</summary>
    public required IReadOnlyList<int> EosTokenIds { get; init; }

    /// <summary>The tokenizer's own padding token; −1 where it has none.</summary>
    public int PadTokenId { get; private init; }

    /// <exception cref="CheckpointException">A file is missing or damaged, or an id does not fit the model's vocabulary.</exception>
    public static TokenizerFiles Load(string folder, ModelConfig config)
    {
        string file = Path.Combine(folder, Tokenizer);
        var ids = Vocabulary(Read(folder, Tokenizer, required: true)!, file);
        foreach (var (token, id) in ids)
        {
            if (id < 0 || id >= config.VocabSize)
            {
                throw new CheckpointException($"{file}: token \"{token}\" has id {id}, but vocab_size in config.json is "
                    + $"{config.VocabSize}; the model has no row for it.");
            }
        }
        CheckpointRead.From(file, () => TokenizerFile.Load(file)); // What the runtime would refuse is not published.
        var settings = Read(folder, TokenizerConfig, required: true)!;
        var generation = Read(folder, Generation, required: false);
        int[] Named(string key) => Ids(generation?[key], Path.Combine(folder, Generation), config.VocabSize);
        int[] eos = Named("eos_token_id");
        var model = Read(folder, Config, required: false);
        if (eos.Length == 0 && model?["eos_token_id"] is JsonArray several)
        {
            eos = Ids(several, Path.Combine(folder, Config), config.VocabSize);
        }
        return new(folder, settings, model)
        {
            BosTokenId = Named("bos_token_id").Cast<int?>().FirstOrDefault() ?? config.BosTokenId,
            EosTokenIds = eos.Length > 0 ? eos : config.EosTokenId is int end ? [end] : throw new CheckpointException(
                $"{folder}: neither {Generation} nor config.json names an eos_token_id, so generation would not know where to stop; add "
                    + "it."),
            PadTokenId = Pad(settings["pad_token"], ids, Path.Combine(folder, TokenizerConfig)) ?? config.PadTokenId ?? -1,
        };
    }

    /// <summary>
    /// Copies the files, but that the class of the tokenizer becomes the safe one, and that config.json no longer says how the
    /// checkpoint's weights are quantised, nor names code that is not in the package.
    /// </summary>
    public void CopyTo(string package)
    {
        foreach (string name in Copied.Where(name => File.Exists(Path.Combine(folder, name))))
        {
            string source = Path.Combine(folder, name);
            File.WriteAllBytes(Path.Combine(package, name), CheckpointRead.From(source, () => File.ReadAllBytes(source)));
        }
        if (settings["tokenizer_class"]?.ToString() != SafeClass)
        {
            settings["tokenizer_class"] = SafeClass;
            File.WriteAllText(Path.Combine(package, TokenizerConfig), settings.ToJsonString(PackageJson.Options) + "\n");
        }
        if (model is not null && OfTheCheckpoint.Any(model.ContainsKey))
        {
            var kept = model.Where(pair => !OfTheCheckpoint.Contains(pair.Key)).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()));
            File.WriteAllText(Path.Combine(package, Config), new JsonObject(kept).ToJsonString(PackageJson.Options) + "\n");
        }
    }

    private static JsonObject? Read(string folder, string name, bool required)
    {
        string file = Path.Combine(folder, name);
        if (!File.Exists(file))
        {
            return required ? throw new CheckpointException($"{file}: no such file; a package needs it. Train a tokenizer, or complete "
                + "the checkpoint folder.") : null;
        }
        return CheckpointRead.Json(file, "Fetch or write the file again.");
    }

    private static Dictionary<string, int> Vocabulary(JsonObject tokenizer, string file)
    {
        var ids = new Dictionary<string, int>();
        int Id(JsonNode? node, string token) => node is JsonValue value && value.TryGetValue(out int id) ? id
            : throw new CheckpointException($"{file}: token \"{token}\" has id {node?.ToJsonString() ?? "null"}; expected a whole number.");
        if ((tokenizer["model"] as JsonObject)?["vocab"] is not JsonObject vocabulary)
        {
            throw new CheckpointException($"{file}: model.vocab is missing; expected an object of tokens and ids, as a BPE tokenizer has "
                + "it.");
        }
        foreach (var (token, id) in vocabulary)
        {
            ids[token] = Id(id, token);
        }
        foreach (var added in tokenizer["added_tokens"] as JsonArray ?? [])
        {
            string token = (added as JsonObject)?["content"]?.ToString() ?? throw new CheckpointException($"{file}: added_tokens holds "
                + "an entry without content.");
            ids[token] = Id(added!["id"], token);
        }
        return ids;
    }

    private static int[] Ids(JsonNode? node, string file, int limit)
    {
        JsonNode?[] nodes = node switch { null => [], JsonArray array => [.. array], _ => [node] };
        return [.. nodes.Select(n => n is JsonValue value && value.TryGetValue(out int id) && id >= 0 && id < limit ? id
            : throw new CheckpointException($"{file}: token id {n?.ToJsonString() ?? "null"}; expected ids from 0 to {limit - 1} "
                + "(vocab_size in config.json)."))];
    }

    // A token is written as its text, or as an object that describes it.
    private static int? Pad(JsonNode? node, Dictionary<string, int> ids, string file)
    {
        string? token = node is JsonObject described ? described["content"]?.ToString() : node?.ToString();
        return token is null ? null : ids.TryGetValue(token, out int id) ? id
            : throw new CheckpointException($"{file}: pad_token is \"{token}\", which tokenizer.json does not have.");
    }
}
