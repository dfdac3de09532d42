using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Data;

/// <summary>
/// Fixed windows to evaluate on, one after another from the start of the stream; with a limit, evenly spread over it.
/// Every window predicts as many tokens as it reads; the end of the stream that fills no window is left out.
/// </summary>
public sealed class ValidationWindows
{
    private readonly long _total;

    /// <param name="stream">The held-out tokens.</param>
    /// <param name="sequence">Tokens of a window.</param>
    /// <param name="tokenizer">Tells how many bytes of text a token is.</param>
    /// <param name="maxWindows">At most so many windows.</param>
    /// <exception cref="CheckpointException">The stream is shorter than one window.</exception>
    public ValidationWindows(TokenStream stream, int sequence, TokenizerFile tokenizer, int maxWindows = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxWindows, 1);
        (Stream, Sequence) = (stream, sequence);
        _total = (stream.Count - 1) / sequence;
        if (_total == 0)
        {
            throw new CheckpointException($"{stream.Source}: the validation text has {stream.Count} tokens, fewer than one window of {sequence} and its next token. "
                + "Give more text with --data, or a preset with a shorter sequence.");
        }
        Count = (int)Math.Min(_total, maxWindows);
        var targets = new int[sequence];
        for (int window = 0; window < Count; window++)
        {
            stream.Read(Start(window) + 1, targets);
            Bytes += targets.Sum(id => (long)tokenizer.Bytes(id).Length);
        }
    }

    public TokenStream Stream { get; }

    /// <summary>Windows.</summary>
    public int Count { get; }

    /// <summary>Tokens of a window.</summary>
    public int Sequence { get; }

    /// <summary>Predicted tokens of all windows.</summary>
    public long Tokens => (long)Count * Sequence;

    /// <summary>UTF-8 bytes of text in the predicted tokens; separators have none.</summary>
    public long Bytes { get; }

    /// <summary>Where in the stream the window's first input is.</summary>
    public long Start(int window)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)window, (uint)Count, nameof(window));
        return window * _total / Count * Sequence;
    }

    /// <summary>Inputs and targets (the tokens that follow them) of a window; both spans have <see cref="Sequence"/> elements.</summary>
    public void Fill(int window, Span<long> inputs, Span<long> targets)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs.Length, Sequence);
        ArgumentOutOfRangeException.ThrowIfNotEqual(targets.Length, Sequence);
        Stream.Read(Start(window), inputs);
        Stream.Read(Start(window) + 1, targets);
    }

    /// <summary>The mean loss over all windows as bits for a byte of text, which tokenizers of different sizes can be compared by.</summary>
    public double BitsPerByte(double natsPerToken) => natsPerToken * Tokens / Math.Log(2) / Bytes;
}
