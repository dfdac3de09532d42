using System.Globalization;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>This process's resident memory, mapped files included, as Linux counts it.</summary>
internal static class ResidentMemory
{
    private const string Status = "/proc/self/status", Key = "VmRSS:";

    /// <returns>Bytes, after the managed heap was collected.</returns>
    public static long Read()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        string line = File.ReadLines(Status).First(text => text.StartsWith(Key, StringComparison.Ordinal));
        return 1024 * long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
    }
}
