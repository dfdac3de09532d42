using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Models;

namespace LatentMoE.Benchmarks.Tests.Engines;

public class WorkloadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void GrowingAndShared_ComputeTheSame(int start)
    {
        using var package = new ExportedPackage(ExportedPackage.Config);
        var model = PackageModel.Load(package.Path);
        var engine = Engine.Of(Engine.Bodies, null);
        using var session = engine.Load(model, 1);
        var point = new Case(Case.Decode, start, 2, 3);
        using var shared = Workload.Create(session, model, point, grow: false);
        using var growing = Workload.Create(session, model, point, grow: true);
        Assert.Equal("shared 128", shared.CacheMode);
        Assert.Equal("grow", growing.CacheMode);
        if (start == 0) // otherwise each fills a cache of its own length
        {
            for (ulong seed = 1; seed < 3; seed++)
            {
                shared.Run(seed);
                growing.Run(seed);
                float difference = shared.Logits.ToArray().Zip(growing.Logits.ToArray(), (a, b) => MathF.Abs(a - b)).Max();
                Assert.True(difference < 1e-4, $"logits: max abs diff {difference:e2}");
            }
        }
        growing.Run(1);
        Assert.All(growing.Logits.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 1)]
    [InlineData(0, 6)]
    public void DeviceHome_FeedsWhatTheHostHolds(int start, int prefill)
    {
        using var package = new ExportedPackage(ExportedPackage.Config);
        var model = PackageModel.Load(package.Path);
        using var session = Engine.Of(Engine.Bodies, null).Load(model, 1);
        var point = prefill > 1 ? new Case(Case.Prefill, prefill, 2, 1) : new Case(Case.Decode, start, 2, 3);
        using var host = new SharedWorkload(session, model, point, new HostHome());
        using var device = new SharedWorkload(session, model, point, new DeviceHome(session, onCuda: false));
        for (ulong seed = 1; seed < 3; seed++)
        {
            Assert.True(host.Run(seed) > 0 && device.Run(seed) > 0);
            Assert.Equal(host.Logits, device.Logits); // caches begin with equal numbers, of fewer than the device repeats after
        }
    }

    [Fact]
    public void Count_FindsEveryChosenExpertOnce()
    {
        using var package = new ExportedPackage(ExportedPackage.Config);
        var model = PackageModel.Load(package.Path);
        var engine = Engine.Of(Engine.Bodies, null);
        var config = ExportedPackage.Config;
        int layers = config.NumHiddenLayers, k = config.NumExpertsPerTok, all = config.NRoutedExperts;
        var single = ExpertCounter.Count(engine, model, 1, new Case(Case.Decode, 0, 1, 1), 1);
        Assert.Equal((layers * k, layers * k), (single.Distinct, single.PerRun));
        var many = ExpertCounter.Count(engine, model, 1, new Case(Case.Prefill, 64, 1, 1), 1);
        Assert.Equal(many.Distinct, many.PerRun);
        Assert.InRange(many.Distinct, layers * k + 1, layers * all);
        var steps = ExpertCounter.Count(engine, model, 1, new Case(Case.Decode, 0, 1, 32), 1);
        Assert.Equal(layers * k, steps.PerRun);
        Assert.InRange(steps.Distinct, layers * k + 1, layers * all);
    }
}
