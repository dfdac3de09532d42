using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;

namespace LatentMoE.Training.Tests.Data;

public class BatchSamplerTests
{
    private const int Batch = 4, Sequence = 16, Count = 1_003;

    private static TokenStream Stream(TextFolder folder) => TokenStreamTests.Stream(folder, Enumerable.Range(0, Count));

    private static (long[] Inputs, long[] Targets) Fill(BatchSampler sampler, long step)
    {
        var (inputs, targets) = (new long[Batch * Sequence], new long[Batch * Sequence]);
        sampler.Fill(step, inputs, targets);
        return (inputs, targets);
    }

    [Fact]
    public void Fill_IsAFunctionOfTheStep()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        var running = new BatchSampler(stream, Batch, Sequence, 5);
        var batches = Enumerable.Range(0, 60).Select(step => Fill(running, step)).ToArray();
        foreach (int step in new[] { 59, 0, 31, 16, 15, 47 })
        {
            foreach (var (inputs, targets) in new[] { Fill(new BatchSampler(stream, Batch, Sequence, 5), step), Fill(running, step) })
            {
                Assert.Equal(batches[step].Inputs, inputs);
                Assert.Equal(batches[step].Targets, targets);
            }
        }
    }

    [Fact]
    public void Fill_TargetsFollowInputs()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        var (inputs, targets) = Fill(new BatchSampler(stream, Batch, Sequence, 5), 3);
        Assert.Equal(inputs.Select(token => token + 1), targets);
        Assert.All(inputs.Chunk(Sequence), row => Assert.Equal(Enumerable.Range(0, Sequence).Select(i => row[0] + i), row));
    }

    [Fact]
    public void Fill_VisitsEveryWindowOnceAnEpoch()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        var sampler = new BatchSampler(stream, Batch, Sequence, 9);
        Assert.Equal((Count - Sequence) / Sequence, sampler.WindowsPerEpoch);
        long[] starts = [.. Enumerable.Range(0, 100).SelectMany(step => Fill(sampler, step).Inputs.Chunk(Sequence).Select(row => row[0]))];
        var phases = new HashSet<long>();
        foreach (long[] epoch in starts.Chunk((int)sampler.WindowsPerEpoch).Where(epoch => epoch.Length == sampler.WindowsPerEpoch))
        {
            long phase = Assert.Single(epoch.Select(start => start % Sequence).Distinct());
            Assert.Equal(epoch.Length, epoch.Distinct().Count());
            Assert.Equal((epoch.Length - 1) * Sequence, epoch.Max() - epoch.Min());
            Assert.NotEqual(epoch.Order(), epoch);
            phases.Add(phase);
        }
        Assert.True(phases.Count > 1, "every epoch had the same phase");
    }

    [Fact]
    public void Fill_ReachesEveryToken()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        var sampler = new BatchSampler(stream, Batch, Sequence, 1);
        var seen = Enumerable.Range(0, 3_000).SelectMany(step => { var (inputs, targets) = Fill(sampler, step); return inputs.Concat(targets); }).ToHashSet();
        Assert.Equal(Count, seen.Count);
    }

    [Fact]
    public void Fill_OfAnotherSeed_IsAnotherOrder()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        Assert.NotEqual(Fill(new BatchSampler(stream, Batch, Sequence, 1), 0).Inputs, Fill(new BatchSampler(stream, Batch, Sequence, 2), 0).Inputs);
    }

    [Fact]
    public void Epoch_CountsWindows()
    {
        using var folder = new TextFolder();
        using TokenStream stream = Stream(folder);
        var sampler = new BatchSampler(stream, Batch, Sequence, 1);
        Assert.Equal(0, sampler.Epoch(0));
        Assert.Equal(1, sampler.Epoch(sampler.WindowsPerEpoch) / Batch, 12);
    }

    [Fact]
    public void AStreamOfOneWindow_IsEnough()
    {
        using var folder = new TextFolder();
        using TokenStream stream = TokenStreamTests.Stream(folder, Enumerable.Range(0, Sequence + 1));
        var (inputs, targets) = Fill(new BatchSampler(stream, Batch, Sequence, 1), 7);
        Assert.Equal(Enumerable.Range(0, Sequence).Select(i => (long)i), inputs[..Sequence]);
        Assert.Equal(Sequence, targets[^1]);
    }

    [Fact]
    public void AShorterStream_IsRefused()
    {
        using var folder = new TextFolder();
        using TokenStream stream = TokenStreamTests.Stream(folder, Enumerable.Range(0, Sequence));
        var e = Assert.Throws<CheckpointException>(() => new BatchSampler(stream, Batch, Sequence, 1));
        Assert.Contains("16 tokens", e.Message);
    }
}
