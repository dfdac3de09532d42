using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Package.Internals;
using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Package;

/// <summary>
/// <c>README.md</c> of a package: what the model is, the figures that were measured, each with the command that repeats it, and how
/// to load it.
/// </summary>
internal static class ModelCard
{
    public static void Write(string folder, string name, ExportOptions options, ModelConfig config, ParityReport? parity)
    {
        var text = new StringBuilder();
        Head(text, name, config, options.Random);
        Shape(text, folder, options, config);
        if (options.Checkpoint is string checkpoint)
        {
            Training(text, Path.Combine(checkpoint, "training.json"));
        }
        ModelCardParity.Append(text, options, parity);
        text.Append(ModelCardUsage.Text(name, options, config));
        File.WriteAllText(Path.Combine(folder, "README.md"), text.ToString());
    }

    private static void Head(StringBuilder text, string name, ModelConfig c, RandomModel? random)
    {
        string attention = c.IsLatent ? "multi-head latent attention" : "multi-head attention";
        string feedForward = c.IsMoE ? "a mixture of experts" : "dense feed-forward layers";
        text.Append(CultureInfo.InvariantCulture, $"""
            ---
            library_name: onnx
            pipeline_tag: text-generation
            tags:
            - onnx
            - {c.ModelType}
            ---

            # {name}

            A decoder with {attention} and {feedForward}, as a portable ONNX package.


            """);
        if (random is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"**Random weights, for benchmarks**: preset {random.Name}, seed {random.Seed}. It has learnt nothing.\n\n");
        }
    }

    private static void Shape(StringBuilder text, string folder, ExportOptions options, ModelConfig c)
    {
        var size = ModelSize.Of(c);
        long bytes = new FileInfo(Path.Combine(folder, Onnx.ExternalData.FileName)).Length;
        (string, string)[] latent = [("Cached latent, rotary key", Invariant($"{c.KvLoraRank}, {c.QkRopeHeadDim}"))];
        (string, string)[] experts =
            [("Experts", Invariant($"{c.NRoutedExperts} routed, {c.NumExpertsPerTok} chosen a token, {c.NSharedExperts} shared"))];
        string logits = options.Activations == "bf16" ? "bf16; the logits leave as float32" : $"{options.Activations}, the logits too";
        (string, string)[] activations = [("Activations", logits)];
        Table(text, "Model", [
            ("Family", c.ModelType),
            ("Layers, width, heads", Invariant($"{c.NumHiddenLayers}, {c.HiddenSize}, {c.NumAttentionHeads}")),
            .. c.IsLatent ? latent : [],
            .. c.IsMoE ? experts : [],
            ("Parameters", Invariant($"{size.TotalParameters:N0}, {size.ActiveParameters:N0} active a token")),
            ("Cache a token", Invariant($"{size.CacheNumbersPerToken:N0} numbers, {options.CacheType}")),
            ("Context, vocabulary", Invariant($"{c.MaxPositionEmbeddings:N0}, {c.VocabSize:N0}")),
            ("Weights", Invariant($"{options.Precision}, {bytes:N0} bytes")),
            .. options.Activations == "f32" ? [] : activations,
        ]);
    }

    private static void Training(StringBuilder text, string file)
    {
        if (!File.Exists(file))
        {
            return;
        }
        var summary = CheckpointRead.Json(file, "Remove it or train again.");
        (string Label, string Path)[] figures =
        [
            ("Preset", "preset"), ("Text", "corpus.description"),
            ("Training tokens in the text", "corpus.train_tokens"), ("Held-out tokens", "corpus.validation_tokens"),
            ("Steps", "steps"), ("Tokens seen", "tokens_seen"), ("Device", "device"),
            ("Held-out loss, nats a token", "evaluation.loss"), ("Perplexity", "evaluation.perplexity"),
            ("Bits a byte", "evaluation.bits_per_byte"),
            ("Bigram model on the same tokens, nats", "baselines.bigram"), ("Trigram model on the same tokens, nats", "baselines.trigram"),
        ];
        Table(text, "Training", figures.Where(f => Value(summary, f.Path) is not null).Select(f => (f.Label, Value(summary, f.Path)!)));
        text.Append(Value(summary, "arguments") is string arguments
            ? $"Measured when training ended; `dotnet cake build --target=Train {arguments}` repeats it.\n\n"
            : "Measured when training ended.\n\n");
        if (Value(summary, "sample") is string sample)
        {
            text.Append(CultureInfo.InvariantCulture, $"A sample:\n\n> {sample.ReplaceLineEndings(" ")}\n\n");
        }
    }

    private static void Table(StringBuilder text, string title, IEnumerable<(string Label, string Value)> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {title}\n\n| | |\n|---|---|\n");
        foreach (var (label, value) in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {label} | {value.ReplaceLineEndings(" ").Replace("|", "\\|")} |\n");
        }
        text.Append('\n');
    }

    private static string? Value(JsonNode root, string path)
    {
        JsonNode? node = root;
        foreach (string key in path.Split('.'))
        {
            node = (node as JsonObject)?[key];
        }
        return node is not JsonValue value ? null
            : value.TryGetValue(out double number) ? number.ToString(number % 1 == 0 ? "N0" : "0.0000", CultureInfo.InvariantCulture)
            : value.ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
