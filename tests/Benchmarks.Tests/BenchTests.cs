using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Reports;

namespace LatentMoE.Benchmarks.Tests;

public class BenchTests
{
    [Fact]
    public void Run_MeasuresEveryEngineAtEveryCase()
    {
        using var package = new ExportedPackage(ExportedPackage.Config);
        var options = new BenchOptions
        {
            Model = package.Path, Prefill = [16], Contexts = [8], Batches = [2], Steps = 3, Runs = 2, Threads = 1,
            Engines = [Engine.LatentMoE, Engine.Bodies, Engine.Contrib], Output = package.Results,
        };
        var results = new Bench(options, _ => { }).Run();
        Assert.Empty(results.Notes);
        string[] points = ["prefill 16", "decode at 8, batch 2"];
        var expected = points.SelectMany(point => options.Engines.Select(engine => $"{point} {engine}"));
        // Where the machine has AMX, rows without it stand beside.
        var rows = results.Rows.Where(row => row.Engine != Engine.WithoutAmx);
        Assert.Equal(expected, rows.Select(row => $"{RowTable.CaseOf(row)} {row.Engine}"));
        Assert.All(results.Rows, row =>
        {
            Assert.Equal(("package", "f32", "f32", 2), (row.Preset, row.Precision, row.Cache, row.Runs));
            Assert.True(row.Minimum > 0 && row.Minimum <= row.TokensPerSecond && row.TokensPerSecond <= row.Maximum);
            Assert.True(row.BytesPerToken > 0 && row.BandwidthShare > 0 && row.ArithmeticShare > 0 && row.LoadMilliseconds > 0);
            string expertOperator = row.Engine switch { Engine.Bodies => "TopK", Engine.Contrib => "MoE", _ => "MoEExperts" };
            Assert.Contains(expertOperator, row.OperatorMicroseconds!.Keys);
            Assert.True(row.Nodes > 20, $"nodes: {row.Nodes}");
            Assert.InRange(row.DistinctExperts!.Value, 6, 16);
        });
        Assert.Equal(results.Rows.Count, Results.FromJson(File.ReadAllText(Path.Combine(package.Results, "bench.json"))).Rows.Count);
        Assert.Contains("| contrib |", File.ReadAllText(Path.Combine(package.Results, "bench.md")), StringComparison.Ordinal);
    }
}
