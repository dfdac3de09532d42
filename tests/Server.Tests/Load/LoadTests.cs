using LatentMoE.Tests.Support;
using Xunit.Abstractions;

namespace LatentMoE.Server.Tests.Load;

/// <summary>Many clients at once, some of which leave, hang up or ask for nonsense; the Soak target runs it for two minutes.</summary>
[Trait("Category", "Soak")]
public class LoadTests(LoadServer server, ITestOutputHelper output) : IClassFixture<LoadServer>
{
    private const int Clients = 64;
    private const long Growth = 48L << 20;

    [Fact]
    public async Task Server_UnderLoad_FailsNoGoodRequestAndLeaksNothing()
    {
        var time = SoakTime.Or(8);
        var tally = new LoadTally();
        await Run(time / 4, tally, seed: 1); // until code is compiled and pools are filled
        long before = await Settle();
        await Run(time * 3 / 4, tally, seed: 2);
        long after = await Settle();
        output.WriteLine(tally.ToString());
        output.WriteLine($"resident memory {before >> 20} MiB, then {after >> 20} MiB");
        Assert.True(tally.Failures.IsEmpty, string.Join("\n", tally.Failures.Take(5)));
        Assert.True(tally.Greedy > Clients && tally.Left > 0 && tally.HungUp > 0 && tally.Refused > 0 && tally.Drawn > 0, tally.ToString());
        Assert.True(after - before < Growth, $"resident memory went from {before} to {after} bytes");
    }

    private async Task Run(TimeSpan time, LoadTally tally, int seed)
    {
        using var end = new CancellationTokenSource(time);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => new LoadClient(server, tally, new Random(1000 * seed + i)).RunAsync(end.Token)));
    }

    // Nobody is left in the engine, and what is collected is collected.
    private async Task<long> Settle()
    {
        for (int i = 0; i < 300 && server.Status.Running + server.Status.Waiting > 0; i++)
        {
            await Task.Delay(20);
        }
        Assert.Equal((0, 0, 0L), (server.Status.Running, server.Status.Waiting, server.Status.CacheBytesReserved));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}
