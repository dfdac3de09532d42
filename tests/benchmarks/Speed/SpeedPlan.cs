using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Speed;

/// <summary>A model to measure: a checkpoint, or a preset with random weights.</summary>
internal sealed record SpeedModel(string Name, string? Checkpoint = null, string? Preset = null, string? Twin = null);

/// <summary>Models that are measured in turns.</summary>
internal sealed record SpeedSet(string Name, IReadOnlyList<SpeedModel> Models);

/// <summary>Which models to measure where: what a study writes, and anyone else can.</summary>
internal sealed record SpeedPlan(string Precision, IReadOnlyList<int> Batches, IReadOnlyList<int> Contexts, IReadOnlyList<SpeedSet> Sets)
{
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <exception cref="CheckpointException">The file is missing or no plan.</exception>
    public static SpeedPlan Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: no such file; expected the plan that a study writes.");
        }
        try
        {
            var plan = JsonSerializer.Deserialize<SpeedPlan>(File.ReadAllBytes(path), Json) ?? throw new JsonException("null");
            foreach (var model in plan.Sets.SelectMany(set => set.Models))
            {
                if ((model.Checkpoint is null) == (model.Preset is null))
                {
                    throw new CheckpointException($"{path}: model {model.Name} names {(model.Preset is null ? "neither a checkpoint nor a preset" : "a checkpoint and a preset")}; expected one of them.");
                }
            }
            return plan;
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: not a plan: {e.Message} Expected precision, batches, contexts and sets of models.", e);
        }
    }
}

/// <summary>One model at one batch and context.</summary>
/// <param name="TokensPerSecond">Median, all rows together.</param>
/// <param name="CacheBytes">Of all rows, at the end of the steps.</param>
/// <param name="MemoryBytes">Growth of resident memory over an empty session.</param>
internal sealed record SpeedRow(
    string Set, string Model, int Batch, int Context, double TokensPerSecond, double Minimum, double Maximum, int Runs, int Steps,
    long WeightBytes, long CacheBytes, long MemoryBytes);

/// <summary>All rows, with the machine.</summary>
internal sealed record SpeedResult(string Machine, string Precision, int Threads, IReadOnlyList<SpeedRow> Rows);
