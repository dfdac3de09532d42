using LatentMoE.Benchmarks.Serving;
using LatentMoE.Runtime;

namespace LatentMoE.Benchmarks.Tests.Serving;

public class ServingBenchTests
{
    [Fact]
    public void Run_OfASmallModel_MeasuresEverything()
    {
        using var package = new ExportedPackage(ExportedPackage.Config);
        using var model = LanguageModel.Load(package.Path, new() { Device = Device.Cpu, Threads = 1 });
        var result = new ServingBench(model, streams: 3, tokens: 6, runs: 2, prefix: 32).Run();
        foreach (var property in typeof(ServingResult).GetProperties())
        {
            Assert.True((double)property.GetValue(result)! > 0, $"{property.Name} is {property.GetValue(result)}");
        }
        Assert.InRange(result.EngineShareOfOne, 0, 1);
        Assert.InRange(result.EngineShareTogether, 0, 1);
    }
}
