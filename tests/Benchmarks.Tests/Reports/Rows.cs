using LatentMoE.Benchmarks.Limits;
using LatentMoE.Benchmarks.Reports;

namespace LatentMoE.Benchmarks.Tests.Reports;

internal static class Rows
{
    public static Row Of(string engine, double speed, string precision = "int8", int batch = 1) => new()
    {
        Preset = "bench-m", Precision = precision, Cache = "f16", Engine = engine,
        Phase = Case.Decode, Context = 1024, Batch = batch, Threads = 2, CacheMode = "shared 1152",
        TokensPerSecond = speed, Minimum = speed - 10, Maximum = speed + 10, Microseconds = 1e6 * batch / speed, Runs = 5, Steps = 128,
        DistinctExperts = 490, ExpertsPerRun = 48, BytesPerToken = 33.5e6, BandwidthShare = 0.75, ArithmeticShare = 0.25, Nodes = 71,
        OperatorMicroseconds = new Dictionary<string, double> { ["LinearInt8"] = 400, ["MoEExpertsInt8"] = 600 },
        RoutedExperts = 496, MemoryBytes = 150 << 20, PackageBytes = 100 << 20, CacheBytes = 25 << 20, LoadMilliseconds = 80,
    };

    public static Row Peer(double speed) => new()
    {
        Preset = "bench-m", Precision = "int8", Engine = "llama.cpp",
        Phase = Case.Decode, Context = 1024, Batch = 1, Threads = 2, TokensPerSecond = speed,
    };

    public static Results Results(params Row[] rows) => new(new DateTime(2026, 1, 2), new("Some CPU", "avx2", 2, "Linux", "1.29.0"),
        new MachineLimits(20e9, 45e9, 250e9), rows, ["bodies | cannot"]);
}
