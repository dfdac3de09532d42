using System.Diagnostics;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Internals.Generation;

/// <summary>
/// The decode loop: purely token ids, no text. Reads the prompt at the first <see cref="Next"/>, then one token a call,
/// until <see cref="Finish"/> is set. The last token of an answer is never run.
/// </summary>
internal sealed class TokenLoop : IDisposable
{
    private readonly DecoderSession _session;
    private readonly int[] _prompt;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _interruption;
    private readonly Sampler _sampler;
    private readonly FinishRule _rule;
    private readonly bool _onDevice;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _first, _latest;
    private int _token;

    /// <param name="constraint">The start of the answer's grammar; null where it has none.</param>
    public TokenLoop(
        DecoderSession session, int[] prompt, GenerationOptions options, IReadOnlySet<int> endTokens, ITokenConstraint? constraint, CancellationToken cancellation)
    {
        (_session, _prompt, _cancellation) = (session, prompt, cancellation);
        _sampler = new Sampler(options, session.Logits.Length, constraint);
        _rule = new FinishRule(options, endTokens, prompt.Length, session.ContextLength);
        foreach (int token in prompt)
        {
            _sampler.Accept(token);
        }
        _onDevice = session.Selects && _sampler.IsMemoryless;
        if (_onDevice)
        {
            session.BeginSelection(options);
        }
        _interruption = cancellation.UnsafeRegister(static s => ((DecoderSession)s!).Interrupt(), session);
    }

    /// <summary>Tokens generated so far.</summary>
    public int Count { get; private set; }

    /// <summary>Why the answer ended, once it has.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>The log-probabilities of the latest token, where the options ask for them.</summary>
    public TokenLogprobs? Logprobs { get; private set; }

    public GenerationStatistics Statistics => new(_prompt.Length, Count, Stopwatch.GetElapsedTime(_started, _first),
        Stopwatch.GetElapsedTime(_first, _latest), _sampler.Seed);

    /// <summary>The next token of the answer. Not to be called once <see cref="Finish"/> is set.</summary>
    /// <exception cref="OperationCanceledException">Cancellation was asked for; the run under way was broken off.</exception>
    public int Next()
    {
        _cancellation.ThrowIfCancellationRequested();
        try
        {
            _token = _onDevice ? SelectOnDevice() : SelectHere();
        }
        catch (Exception) when (_cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(_cancellation);
        }
        _sampler.AcceptGenerated(_token);
        Count++;
        _latest = Stopwatch.GetTimestamp();
        _first = Count == 1 ? _latest : _first;
        Finish = _rule.After(_token, Count, _sampler.IsComplete);
        return _token;
    }

    private int SelectOnDevice() => Count == 0 ? _session.PrefillAndSelect(_prompt, _sampler) : _session.StepAndSelect(_sampler);

    private int SelectHere()
    {
        if (Count == 0)
        {
            _session.Prefill(_prompt);
        }
        else
        {
            _session.Step(_token);
        }
        int token = _sampler.Sample(_session.Logits, out var logprobs);
        Logprobs = logprobs;
        return token;
    }

    public void Dispose()
    {
        _interruption.Dispose(); // waits for a callback under way: afterwards nobody interrupts the session
        _sampler.Dispose();
    }
}
