using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

public class BatchQueueTests
{
    private const int Tokens = 4;

    private static void Fill(long index, Span<long> inputs, Span<long> targets)
    {
        inputs.Fill(index);
        targets.Fill(-index);
    }

    [Fact]
    public void Take_GivesTheBatchThatWasAskedForInAnyOrder()
    {
        using var queue = new BatchQueue(Fill, Tokens);
        foreach (long index in (long[])[0, 1, 2, 7, 8, 3, 3, 4])
        {
            var (inputs, targets) = queue.Take(index);
            Assert.All(inputs, x => Assert.Equal(index, x));
            Assert.All(targets, x => Assert.Equal(-index, x));
        }
    }

    [Fact]
    public void Take_PreparesTheNextBatchWhileTheLastIsUsed()
    {
        using var filled = new ManualResetEventSlim();
        using var queue = new BatchQueue((index, inputs, targets) =>
        {
            Fill(index, inputs, targets);
            if (index == 1)
            {
                filled.Set();
            }
        }, Tokens);
        var (inputs, _) = queue.Take(0);
        Assert.True(filled.Wait(TimeSpan.FromSeconds(20)), "batch 1 must be prepared before anyone asks for it");
        Assert.All(inputs, x => Assert.Equal(0, x));
    }

    [Fact]
    public void Take_AFailureAheadShowsOnlyToWhoTakesThatBatch()
    {
        using var queue = new BatchQueue((index, inputs, targets) =>
        {
            if (index == 1)
            {
                throw new InvalidDataException("batch 1");
            }
            Fill(index, inputs, targets);
        }, Tokens);
        queue.Take(0);
        Assert.All(queue.Take(2).Inputs, x => Assert.Equal(2, x));
        queue.Take(0);
        Assert.Throws<InvalidDataException>(() => queue.Take(1));
    }
}
