using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>How a finished run used its experts, over its last tenth.</summary>
/// <param name="MaxOverMean">Load of the busiest expert of a layer over the mean, averaged over layers; 1 is even.</param>
/// <param name="Entropy">Entropy of the loads over that of even ones; 1 is even.</param>
/// <param name="DeadShare">Share of the experts that a step left without a token.</param>
public sealed record Utilisation(double MaxOverMean, double Entropy, double DeadShare);

/// <summary>A finished run: a line of <c>rows.json</c>.</summary>
public sealed record StudyRow
{
    // What was trained
    public required string Run { get; init; }
    public required string Family { get; init; }
    public required string Group { get; init; }
    public required bool IsAblation { get; init; }
    public required long Seed { get; init; }

    // Its size
    public required int Layers { get; init; }
    public required int Width { get; init; }
    public required long TotalParameters { get; init; }
    public required long ActiveParameters { get; init; }

    /// <summary>Of the head, which every twin has: active parameters are also compared without it.</summary>
    public required long HeadParameters { get; init; }
    public required long FlopsPerToken { get; init; }
    public required long CacheBytesPerToken { get; init; }

    // How it was trained
    public required int Steps { get; init; }
    public required long Tokens { get; init; }
    public required double Epochs { get; init; }
    public required string Device { get; init; }
    public required double TokensPerSecond { get; init; }

    // On all held-out text, in float32
    public required double Loss { get; init; }
    public required double Perplexity { get; init; }
    public required double BitsPerByte { get; init; }
    public required long HeldOutTokens { get; init; }

    /// <summary>Null without experts.</summary>
    public Utilisation? Experts { get; init; }

    /// <summary>The row of a finished run's folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static StudyRow Of(StudyRun run, string folder)
    {
        var summary = TrainingSummary.Load(Path.Combine(folder, "training.json"));
        var evaluation = summary.Evaluation ?? throw new CheckpointException($"{folder}: training.json has no evaluation; remove the folder to train this run again.");
        var model = ModelConfig.Load(folder);
        return new()
        {
            Run = run.Name,
            Family = run.Family,
            Group = run.Group,
            IsAblation = run.IsAblation,
            Seed = run.Seed,
            Layers = model.NumHiddenLayers,
            Width = model.HiddenSize,
            TotalParameters = summary.Model.TotalParameters,
            ActiveParameters = summary.Model.ActiveParameters,
            HeadParameters = (long)model.VocabSize * model.HiddenSize,
            FlopsPerToken = summary.Model.FlopsPerToken,
            CacheBytesPerToken = summary.Model.CacheNumbersPerToken * sizeof(float),
            Steps = summary.Steps,
            Tokens = summary.TokensSeen,
            Epochs = summary.Epochs,
            Device = summary.Device,
            TokensPerSecond = summary.TokensPerSecond,
            Loss = evaluation.Loss,
            Perplexity = evaluation.Perplexity,
            BitsPerByte = evaluation.BitsPerByte,
            HeldOutTokens = evaluation.Tokens,
            Experts = UtilisationOf(MetricsLog.Read(Path.Combine(folder, "metrics.jsonl")), model.NRoutedExperts),
        };
    }

    private static Utilisation? UtilisationOf(IReadOnlyList<MetricsRow> rows, int experts)
    {
        var loads = rows.Where(r => r.MaxLoad is { Count: > 0 }).ToList();
        var last = loads.Skip(loads.Count - Math.Max(1, loads.Count / 10)).ToList();
        return last.Count == 0 ? null : new(
            Math.Round(last.Average(r => r.MaxLoad!.Average()), 4),
            Math.Round(last.Average(r => r.LoadEntropy!.Average()), 5),
            Math.Round(last.Average(r => r.DeadExperts!.Average()) / experts, 5));
    }
}

/// <summary>A point of the speed grid: one model of a set at one batch and context.</summary>
/// <param name="Set">Models that were measured in turns and compare: <c>trained</c>, or the name of a shape of random weights.</param>
/// <param name="Model">Group, or group and family.</param>
/// <param name="TokensPerSecond">Median of the timings, all rows together.</param>
/// <param name="CacheBytes">Of all rows, at the end of the steps.</param>
public sealed record SpeedRow(
    string Set, string Model, int Batch, int Context, double TokensPerSecond, double Minimum, double Maximum, int Runs, int Steps,
    long WeightBytes, long CacheBytes, long MemoryBytes);

/// <summary>The speed grid with the machine that it was measured on.</summary>
public sealed record SpeedGrid(string Machine, string Precision, int Threads, IReadOnlyList<SpeedRow> Rows)
{
    /// <summary>Null where there is no such file: speed was not measured.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public static SpeedGrid? Load(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize<SpeedGrid>(File.ReadAllBytes(path), StudyFolder.Json) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: not a speed grid: {e.Message} Remove it and measure again.", e);
        }
    }
}
