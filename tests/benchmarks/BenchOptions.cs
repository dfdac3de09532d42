using LatentMoE.Benchmarks.Engines;

namespace LatentMoE.Benchmarks;

/// <summary>What to measure, and how.</summary>
internal sealed record BenchOptions
{
    // Models
    public string Preset { get; init; } = "bench-m";
    public string? Twin { get; init; }
    public IReadOnlyList<string> Precisions { get; init; } = ["f32", "bf16", "int8", "int4"];
    public IReadOnlyList<string> Activations { get; init; } = ["f32"];
    /// <summary>Beside activations of f32; other ones have the cache in their own type.</summary>
    public IReadOnlyList<string> Caches { get; init; } = ["f32", "f16"];
    /// <summary>A package to measure instead of random weights of the preset.</summary>
    public string? Model { get; init; }

    // Cases
    public IReadOnlyList<int> Prefill { get; init; } = [512];
    public IReadOnlyList<int> Contexts { get; init; } = [0, 1024];
    public IReadOnlyList<int> Batches { get; init; } = [1, 4, 16];
    public int Steps { get; init; } = 128;

    // Measuring
    /// <summary>cpu or cuda.</summary>
    public string Device { get; init; } = Engine.Cpu;
    public IReadOnlyList<string> Engines { get; init; } = ["latentmoe", "bodies", "contrib"];
    public int Threads { get; init; } = 2;
    public int Runs { get; init; } = 5;
    /// <summary>A timing of an engine without the operator library takes fewer steps where all of them would take longer.</summary>
    public int Seconds { get; init; } = 10;
    public string? Library { get; init; }

    // Results
    public string Output { get; init; } = "artifacts/benchmarks";
    public string Packages { get; init; } = "artifacts/models/bench";
    public string? Peer { get; init; }
    /// <summary>File of a GPU's limits, as gpu_bench writes it.</summary>
    public string? Limits { get; init; }
    public string? Keep { get; init; }

    /// <summary>The model's name in the rows.</summary>
    public string ModelName => Model is not null ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Model)))
        : Path.GetFileNameWithoutExtension(Preset) + (Twin is null ? "" : $"-{Twin}");

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    public BenchOptions Validated()
    {
        Require(Engine.Devices.Contains(Device), "device", Device, string.Join(" or ", Engine.Devices));
        Require(Limits is null || Device == Engine.Cuda, "limits", Limits!, "none with --device=cpu, whose limits are measured");
        Require(Runs > 0, "runs", Runs, "at least 1");
        Require(Threads > 0, "threads", Threads, "at least 1");
        Require(Seconds > 0, "seconds", Seconds, "at least 1");
        Require(Steps > 0, "steps", Steps, "at least 1");
        foreach (int tokens in Prefill)
        {
            Require(tokens > 0, "prefill", tokens, "lengths of at least 1");
        }
        foreach (int context in Contexts)
        {
            Require(context >= 0, "context", context, "lengths of at least 0");
        }
        foreach (int batch in Batches)
        {
            Require(batch > 0, "batch", batch, "numbers of rows, at least 1");
        }
        foreach (string activations in Activations)
        {
            Require(activations is "f32" or "f16" or "bf16", "activations", activations, "f32, f16 or bf16");
        }
        foreach (string cache in Caches)
        {
            Require(cache is "f32" or "f16", "cache", cache, "f32 or f16");
        }
        Require(Engines.Count > 0, "engine", "", "at least one");
        return this;
    }

    private static void Require(bool ok, string name, object value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"--{name} is {value}; expected {range}.");
        }
    }
}
