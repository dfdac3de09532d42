using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Baselines;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Reports;

/// <summary>The text that a model was trained on.</summary>
public sealed record CorpusSummary(string Description, string Fingerprint, long TrainTokens, long TrainBytes, long ValidationTokens, long ValidationBytes);

/// <summary><c>training.json</c>: what was trained, on what, how, and how well; export copies it into the model card.</summary>
public sealed record TrainingSummary
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required string Preset { get; init; }
    public required string Description { get; init; }

    /// <summary>Options of <c>train</c> that repeat the run; text and preset files by their names, without folders.</summary>
    public string? Arguments { get; init; }

    public required ModelSize Model { get; init; }
    public required CorpusSummary Corpus { get; init; }
    public required TrainingRecipe Recipe { get; init; }

    public required int Steps { get; init; }
    public required long TokensSeen { get; init; }
    public required double Epochs { get; init; }

    /// <summary>Device, dtype and threads.</summary>
    public required string Device { get; init; }

    /// <summary>Median over the logged steps.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Share of the device's measured matrix-product rate that the model's own products reached.</summary>
    public required double FlopsFraction { get; init; }

    /// <summary>On the whole held-out split.</summary>
    public EvaluationResult? Evaluation { get; init; }

    /// <summary>Nats per token of n-gram models on the same tokens.</summary>
    public NgramLosses? Baselines { get; init; }

    public string? Sample { get; init; }

    public void Save(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Options) + "\n");

    /// <exception cref="CheckpointException">The file is missing or not a summary.</exception>
    public static TrainingSummary Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainingSummary>(File.ReadAllBytes(path), Options) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new CheckpointException($"{path}: not a training summary: {e.Message}", e);
        }
    }

    /// <summary>The figures for people: name and value with its unit.</summary>
    public IEnumerable<(string Name, string Value)> Figures()
    {
        yield return ("Parameters", Invariant($"{Model.TotalParameters:N0} in total, {Model.ActiveParameters:N0} active a token"));
        yield return ("Products a token", Invariant($"{Model.FlopsPerToken / 1e6:0.00} MFLOP forward, with an empty cache"));
        yield return ("Cache a token", Invariant($"{Model.CacheNumbersPerToken:N0} numbers, {Model.CacheNumbersPerToken * sizeof(float):N0} bytes in float32"));
        yield return ("Text", Corpus.Description);
        yield return ("Tokens", Invariant($"{Corpus.TrainTokens:N0} for training, {Corpus.ValidationTokens:N0} held out"));
        yield return ("Trained", Invariant($"{Steps:N0} steps of {Recipe.TokensPerStep:N0} tokens, {TokensSeen:N0} in all, {Epochs:0.00} epochs"));
        yield return ("Speed", Invariant($"{TokensPerSecond:N0} tokens a second ({FlopsFraction * 100:0}% of the measured matrix-product rate) on {Device}"));
        if (Evaluation is { } e)
        {
            yield return ("Held-out loss", Invariant($"{e.Loss:0.0000} nats a token, perplexity {e.Perplexity:0.00}, {e.BitsPerByte:0.0000} bits a byte"));
            if (Baselines is { } b)
            {
                yield return ("Bigram model, same tokens", Invariant($"{b.Bigram:0.0000} nats a token; ours is {e.Against(b.Bigram)}"));
                yield return ("Trigram model, same tokens", Invariant($"{b.Trigram:0.0000} nats a token; ours is {e.Against(b.Trigram)}"));
            }
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
