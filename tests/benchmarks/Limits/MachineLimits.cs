namespace LatentMoE.Benchmarks.Limits;

/// <summary>What this machine could do just now, with the threads of the benchmark.</summary>
/// <param name="MemoryBytesPerSecond">Reading memory that no cache holds.</param>
/// <param name="CacheBytesPerSecond">Reading 16 MB again and again.</param>
/// <param name="FlopsPerSecond">Fused multiply-adds in registers, two operations each.</param>
/// <param name="Arithmetic">The type of their operands.</param>
internal sealed record MachineLimits(double MemoryBytesPerSecond, double CacheBytesPerSecond, double FlopsPerSecond, string Arithmetic = "f32")
{
    /// <summary>A working set of this size stays in the last cache of the machines that are measured on.</summary>
    public const long CachedBytes = 32 << 20;

    /// <summary>The read bandwidth that a working set allows.</summary>
    public double BytesPerSecond(double workingSet) => workingSet < CachedBytes ? CacheBytesPerSecond : MemoryBytesPerSecond;

    public static MachineLimits? Median(IReadOnlyList<MachineLimits> all) => all.Count == 0 ? null : new(
        Statistics.Median([.. all.Select(l => l.MemoryBytesPerSecond)]),
        Statistics.Median([.. all.Select(l => l.CacheBytesPerSecond)]),
        Statistics.Median([.. all.Select(l => l.FlopsPerSecond)]), all[0].Arithmetic);
}
