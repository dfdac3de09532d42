namespace LatentMoE.Benchmarks.Reports;

/// <summary>One engine at one case. What a peer's program does not tell is null.</summary>
internal sealed record Row
{
    // What was measured
    public required string Preset { get; init; }
    public required string Precision { get; init; }
    public string? Cache { get; init; }
    public string? Activations { get; init; }
    public required string Engine { get; init; }
    public string? Device { get; init; }
    public required string Phase { get; init; }
    public required int Context { get; init; }
    public required int Batch { get; init; }
    public required int Threads { get; init; }
    /// <summary><c>shared</c> with the buffer's length, or <c>grow</c>.</summary>
    public string? CacheMode { get; init; }

    // Speed: the median of the runs, and their range
    public required double TokensPerSecond { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    /// <summary>Of one run of the session: a step of decode, or a prefill.</summary>
    public double? Microseconds { get; init; }
    public int? Runs { get; init; }
    public int? Steps { get; init; }

    // Shares of what the machine allowed at that time
    /// <summary>Routed experts that the timing touched, over all layers.</summary>
    public int? DistinctExperts { get; init; }
    public int? RoutedExperts { get; init; }
    /// <summary>Mean number that one run of the session touched.</summary>
    public double? ExpertsPerRun { get; init; }
    public double? BytesPerToken { get; init; }
    public double? BandwidthShare { get; init; }
    public double? ArithmeticShare { get; init; }

    // Cost
    public double? Nodes { get; init; }
    public IReadOnlyDictionary<string, double>? OperatorMicroseconds { get; init; }
    /// <summary>Growth of resident memory over an empty session.</summary>
    public long? MemoryBytes { get; init; }
    /// <summary>Of that, what a model cannot do without: its weights and the cache's tokens.</summary>
    public long? PackageBytes { get; init; }
    public long? CacheBytes { get; init; }
    public double? LoadMilliseconds { get; init; }

    /// <summary>Whether both rows are of the same model at the same case, whatever the cache's type.</summary>
    public bool IsComparable(Row other) => (Preset, Precision, Phase, Context, Batch, Threads)
        == (other.Preset, other.Precision, other.Phase, other.Context, other.Batch, other.Threads);
}
