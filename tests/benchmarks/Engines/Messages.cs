namespace LatentMoE.Benchmarks.Engines;

/// <summary>What a worker is asked for: one line of JSON each.</summary>
internal sealed record Request(string Verb)
{
    public const string Open = "open", Load = "load", Prepare = "prepare", Run = "run";
    public const string Memory = "memory", Experts = "experts", Profile = "profile";

    // open
    public string? Engine { get; init; }
    public string? Library { get; init; }
    public string? Device { get; init; }
    public string? Folder { get; init; }
    public int Threads { get; init; }

    // prepare
    public Case? Point { get; init; }
    public bool Grow { get; init; }

    // run, experts
    public ulong Seed { get; init; }
}

/// <summary>What it answers: one line of JSON with what was asked for, or the error.</summary>
internal sealed record Response
{
    public string? Error { get; init; }
    public string? CacheMode { get; init; }
    public double Seconds { get; init; }
    public long Bytes { get; init; }
    public ExpertCount? Experts { get; init; }
    public OperatorProfile? Profile { get; init; }
}

/// <summary>Routed experts that were touched, summed over the layers.</summary>
/// <param name="Distinct">Distinct ones in the whole timing.</param>
/// <param name="PerRun">Mean number of distinct ones in one run of the session.</param>
internal sealed record ExpertCount(int Distinct, double PerRun);

/// <summary>What one run of the session executed.</summary>
/// <param name="Nodes">Kernels, those inside loops and branches each time they ran.</param>
/// <param name="Microseconds">Time by operator type, without that of the nodes inside it.</param>
internal sealed record OperatorProfile(double Nodes, IReadOnlyDictionary<string, double> Microseconds);
