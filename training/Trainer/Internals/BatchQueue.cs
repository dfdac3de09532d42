namespace LatentMoE.Training.Trainer;

/// <summary>
/// Prepares the batch after the one that was taken on another thread, while the step runs. Batches are pure functions of their
/// index, so what is prepared ahead changes nothing: a batch that nobody takes is forgotten.
/// </summary>
internal sealed class BatchQueue(BatchSource source, int tokens) : IDisposable
{
    private (long[] Inputs, long[] Targets) _free = (new long[tokens], new long[tokens]);
    private (long Index, Task<(long[] Inputs, long[] Targets)> Batch)? _ahead;

    /// <summary>Micro-batch <paramref name="index"/>; the arrays are the caller's until the next call.</summary>
    public (long[] Inputs, long[] Targets) Take(long index)
    {
        Dispose();
        var batch = _ahead is { } ahead && ahead.Index == index ? ahead.Batch.GetAwaiter().GetResult() : Fill(index, (new long[tokens], new long[tokens]));
        var spare = _free;
        _free = batch;
        _ahead = (index + 1, Task.Run(() => Fill(index + 1, spare)));
        return batch;
    }

    /// <summary>Waits for the batch under way, whose source may be closed afterwards.</summary>
    public void Dispose() => ((IAsyncResult?)_ahead?.Batch)?.AsyncWaitHandle.WaitOne();

    private (long[] Inputs, long[] Targets) Fill(long index, (long[] Inputs, long[] Targets) into)
    {
        source(index, into.Inputs, into.Targets);
        return into;
    }
}
