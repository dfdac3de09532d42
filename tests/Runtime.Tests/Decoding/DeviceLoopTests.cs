using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Internals.Sessions;

namespace LatentMoE.Runtime.Tests.Decoding;

/// <summary>The loop that keeps everything on the device, with the CPU in the device's place.</summary>
[Collection(nameof(TestPackages))]
public class DeviceLoopTests
{
    private static readonly LanguageModelOptions OnDevice = new() { Device = Device.Cuda, PretendDevice = true, Threads = 1, PrefillChunk = 16 };

    [Theory]
    [MemberData(nameof(TestPackages.Families), MemberType = typeof(TestPackages))]
    public void Greedy_EqualsTheHostsChoice(string family)
    {
        using var host = TestPackages.Load(family);
        using var device = TestPackages.Load(family, OnDevice);
        Assert.Equal(Device.Cuda, device.Device);
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 40, IgnoreEndOfSequence = true };
        foreach (int length in (int[])[1, 2, 16, 17, 33])
        {
            int[] prompt = [.. Enumerable.Range(5, length)];
            Assert.Equal(host.GenerateTokens(prompt, greedy), device.GenerateTokens(prompt, greedy));
        }
    }

    [Fact]
    public void Generate_ToTheLastPosition_EndsThere()
    {
        using var model = TestPackages.Load("LatentMoE", OnDevice);
        int[] prompt = [.. Enumerable.Range(0, TestPackages.Context - 6).Select(i => 5 + i % 200)];
        var tokens = model.GenerateTokens(prompt, GenerationOptions.Greedy with { MaxNewTokens = 100, IgnoreEndOfSequence = true });
        Assert.Equal(6, tokens.Count());
    }

    [Fact]
    public void Sampled_RepeatsWithItsSeed_AndHasTheHostsDistribution()
    {
        using var host = TestPackages.Load("LatentMoE");
        using var device = TestPackages.Load("LatentMoE", OnDevice);
        var options = new GenerationOptions { Temperature = 1.1f, TopK = 6, TopP = 0.9f, MinP = 0.02f, MaxNewTokens = 1, IgnoreEndOfSequence = true };
        int[] First(LanguageModel model) => [.. Enumerable.Range(0, 600).Select(seed => model.GenerateTokens([7, 8], options with { Seed = (ulong)seed }).Single())];
        int[] here = First(host), there = First(device);
        Assert.Equal(there, First(device));
        Assert.True(here.Distinct().Count() > 2, "the options leave no choice");
        Assert.Equal(here.Distinct().Order(), there.Distinct().Order());
        foreach (int token in here.Distinct())
        {
            double p = here.Count(t => t == token) / 600.0, q = there.Count(t => t == token) / 600.0;
            Assert.True(Math.Abs(p - q) < 6 * Math.Sqrt(p * (1 - p) / 300) + 1e-9, $"token {token}: {p} on the host, {q} on the device");
        }
    }

    [Fact]
    public void Penalty_IsTheHostsWork_AndTheNextGenerationIsTheDevicesAgain()
    {
        using var host = TestPackages.Load("LatentMoE");
        using var device = TestPackages.Load("LatentMoE", OnDevice with { MaxConcurrency = 1 });
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 20, IgnoreEndOfSequence = true };
        foreach (float penalty in (float[])[1, 1.5f, 1])
        {
            var options = greedy with { RepetitionPenalty = penalty };
            Assert.Equal(host.GenerateTokens([9, 4, 3], options), device.GenerateTokens([9, 4, 3], options));
        }
    }

    [Fact]
    public void Generations_SideBySide_GiveWhatTheyGiveAlone()
    {
        using var model = TestPackages.Load("LatentMoE", OnDevice);
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 30, IgnoreEndOfSequence = true };
        int[][] alone = [.. Enumerable.Range(0, 4).Select(i => model.GenerateTokens([5 + i], greedy).ToArray())];
        int[][] together = new int[4][];
        Parallel.For(0, 4, i => together[i] = [.. model.GenerateTokens([5 + i], greedy)]);
        for (int i = 0; i < alone.Length; i++)
        {
            Assert.Equal(alone[i], together[i]);
        }
    }

    [Fact]
    public async Task Cancellation_LeavesASessionThatWorks()
    {
        using var model = TestPackages.Load("LatentMoE", OnDevice with { MaxConcurrency = 1 });
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 200, IgnoreEndOfSequence = true };
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in model.GenerateAsync([5, 6], greedy, stop.Token))
            {
                if (piece.Index == 3)
                {
                    await stop.CancelAsync();
                }
            }
        });
        Assert.Equal(200, model.GenerateTokens([5, 6], greedy).Count());
    }

    [Fact]
    public void WithoutTheLibrary_TheHostChooses()
    {
        var options = OnDevice with { UseOperatorLibrary = false };
        using var pool = new SessionFactory(ModelPackage.Open(TestPackages.Package("LatentMoE")), options).Create();
        using var session = new DecoderSession(pool.Graph);
        Assert.False(session.Selects);
    }
}
