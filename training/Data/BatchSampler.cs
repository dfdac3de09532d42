using LatentMoE.Checkpoints;
using LatentMoE.Training.Data.Internals;

namespace LatentMoE.Training.Data;

/// <summary>
/// Training batches: every epoch shifts the grid of windows by a random phase and visits the windows in a random order, each once.
/// Batch k is a function of the stream, the sizes, the seed and k alone, so k is all the state that resuming needs.
/// </summary>
public sealed class BatchSampler
{
    private readonly TokenStream _stream;
    private readonly int _batch, _sequence;
    private readonly ulong _seed;
    private (long Epoch, long Phase, int[] Order) _epoch = (-1, 0, []);

    /// <param name="stream">The tokens.</param>
    /// <param name="batch">Windows of a batch.</param>
    /// <param name="sequence">Tokens of a window.</param>
    /// <param name="seed">Chooses phases and orders.</param>
    /// <exception cref="CheckpointException">The stream is shorter than one window and its last target.</exception>
    public BatchSampler(TokenStream stream, int batch, int sequence, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, 1);
        if (stream.Count <= sequence)
        {
            throw new CheckpointException($"{stream.Source}: the training text has {stream.Count} tokens, fewer than one window of {sequence} and its next token. "
                + "Give more text with --data, or a preset with a shorter sequence.");
        }
        (_stream, _batch, _sequence, _seed) = (stream, batch, sequence, seed);
        WindowsPerEpoch = Math.Max(1, (stream.Count - sequence) / sequence);
    }

    /// <summary>Windows that an epoch visits.</summary>
    public long WindowsPerEpoch { get; }

    /// <summary>Epochs behind at the start of a step.</summary>
    public double Epoch(long step) => (double)step * _batch / WindowsPerEpoch;

    /// <summary>Batch number <paramref name="step"/>. Both spans are (batch, sequence) row-major; targets are the tokens that follow the inputs.</summary>
    public void Fill(long step, Span<long> inputs, Span<long> targets)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs.Length, _batch * _sequence);
        ArgumentOutOfRangeException.ThrowIfNotEqual(targets.Length, _batch * _sequence);
        for (int row = 0; row < _batch; row++)
        {
            long start = Start(step * _batch + row);
            _stream.Read(start, inputs.Slice(row * _sequence, _sequence));
            _stream.Read(start + 1, targets.Slice(row * _sequence, _sequence));
        }
    }

    private long Start(long window)
    {
        (long epoch, long index) = Math.DivRem(window, WindowsPerEpoch);
        if (_epoch.Epoch != epoch)
        {
            var random = new Random64(_seed, (ulong)epoch);
            long phase = random.Below(_stream.Count - WindowsPerEpoch * _sequence);
            int[] order = [.. Enumerable.Range(0, checked((int)WindowsPerEpoch))];
            random.Shuffle(order);
            _epoch = (epoch, phase, order);
        }
        return _epoch.Phase + (long)_epoch.Order[index] * _sequence;
    }
}
