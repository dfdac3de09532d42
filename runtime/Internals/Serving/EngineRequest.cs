using System.Diagnostics;
using System.Threading.Channels;
using LatentMoE.Runtime.Internals.Generation;
using LatentMoE.Runtime.Internals.Text;
using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// One request, from the queue to its last piece. The scheduler's thread alone changes it; readers see its pieces, and may cancel it.
/// </summary>
internal sealed class EngineRequest
{
    // Unbounded: a slow reader must not hold up the batch, and an answer is no longer than its request allows.
    private readonly Channel<GeneratedPiece> _pieces = Channel.CreateUnbounded<GeneratedPiece>(new() { SingleReader = true, SingleWriter = true });
    private readonly PieceWriter _writer;
    private readonly long _submitted = Stopwatch.GetTimestamp();
    private int[] _tokens, _run = [];
    private int _count;
    private long _joined, _first, _latest;
    private Sampler? _sampler;
    private FinishRule? _rule;
    private volatile bool _cancelled;

    public EngineRequest(int[] prompt, GenerationOptions options, TokenBytes bytes)
    {
        (PromptLength, Options, _tokens, _count) = (prompt.Length, options, prompt, prompt.Length);
        _writer = new PieceWriter(new TextStream(bytes, options.StopStrings));
    }

    public GenerationOptions Options { get; }

    public int PromptLength { get; }

    /// <summary>Prompt and answer so far.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _count);

    /// <summary>Tokens whose cache is in the row. While an answer is written it is all but the latest.</summary>
    public int Computed { get; set; }

    /// <summary>Prompt tokens that were found in the prefix cache.</summary>
    public int Cached { get; set; }

    /// <summary>Whether the prefix cache has been asked.</summary>
    public bool Started { get; set; }

    /// <summary>Guessed tokens that were right.</summary>
    public int AcceptedDrafts { get; set; }

    /// <summary>Cache that it may come to use.</summary>
    public long ReservedBytes { get; init; }

    /// <summary>Its number in the order of arrival.</summary>
    public long Order { get; set; }

    /// <summary>Why no token could be chosen.</summary>
    public Exception? Failure { get; private set; }

    public int Generated => _count - PromptLength;

    public bool ReadsPrompt => Computed < PromptLength;

    public FinishReason? Finish { get; private set; }

    public bool Cancelled => _cancelled;

    public ChannelReader<GeneratedPiece> Pieces => _pieces.Reader;

    public TimeSpan Age => Stopwatch.GetElapsedTime(_submitted);

    public TimeSpan TimeToFirstToken => Stopwatch.GetElapsedTime(_submitted, _first);

    public TimeSpan DecodeTime => Stopwatch.GetElapsedTime(_first, _latest);

    /// <summary>From any thread: the request leaves its row before the next step.</summary>
    public void Cancel() => _cancelled = true;

    /// <summary>Takes its place in the batch.</summary>
    public void Join(RequestRules rules)
    {
        _joined = Stopwatch.GetTimestamp();
        _rule = new FinishRule(Options, rules.EndTokens, PromptLength, rules.ContextLength);
        _sampler = new Sampler(Options, rules.Vocabulary, rules.Constraint(Options));
        foreach (int token in Tokens)
        {
            _sampler.Accept(token);
        }
    }

    /// <summary>The next tokens of its prompt.</summary>
    public RowTokens PromptRun(int count) => new(_tokens.AsMemory(Computed, Math.Min(count, PromptLength - Computed)), Computed);

    /// <summary>Its latest token, and guesses of those after it as far as they can be used.</summary>
    public RowTokens NextRun(int guesses, int context)
    {
        int room = Math.Min(Options.MaxNewTokens - Generated, context - _count) - 1;
        var guess = guesses > 0 && room > 0 ? PromptLookup.Guess(Tokens, Math.Min(guesses, room)) : [];
        if (guess.IsEmpty)
        {
            return new(_tokens.AsMemory(Computed, 1), Computed);
        }
        if (_run.Length == 0)
        {
            _run = new int[guesses + 1];
        }
        _run[0] = _tokens[Computed];
        guess.CopyTo(_run.AsSpan(1));
        return new(_run.AsMemory(0, guess.Length + 1), Computed);
    }

    /// <summary>Whether the operator SelectToken can choose its tokens.</summary>
    public bool Selectable => _sampler!.IsMemoryless;

    /// <summary>The draw for its next token, where SelectToken chooses it.</summary>
    public float NextUniform() => Options.Temperature > 0 ? _sampler!.NextUniform() : 0;

    /// <summary>Chooses the next token from the logits after the latest and hands its piece on; false where the answer ends there.</summary>
    public bool Advance(Span<float> logits, RoutedExperts? experts, out int token)
    {
        try
        {
            token = _sampler!.Sample(logits, out var logprobs);
            return Take(token, logprobs, experts);
        }
        catch (Exception e) // its logits, or its grammar: the others are not concerned
        {
            (Failure, token) = (e, -1);
            return false;
        }
    }

    /// <summary>Hands on the piece of a token that was chosen on the device, −1 where none could be.</summary>
    public void Advance(int token, RoutedExperts? experts)
    {
        try
        {
            Take(token >= 0 ? token : throw Sampler.NoToken("The largest logit is not a finite number"), null, experts);
        }
        catch (Exception e)
        {
            Failure = e;
        }
    }

    /// <summary>Nothing more will come: the answer is whole, or broken off by <paramref name="failure"/>.</summary>
    public void Complete(Exception? failure = null)
    {
        _sampler?.Dispose();
        _sampler = null;
        _pieces.Writer.TryComplete(failure);
    }

    private bool Take(int token, TokenLogprobs? logprobs, RoutedExperts? experts)
    {
        _sampler!.AcceptGenerated(token);
        Append(token);
        var piece = _writer.Next(token, _rule!.After(token, Generated, _sampler.IsComplete), logprobs) with { Experts = experts };
        Finish = piece.FinishReason;
        _pieces.Writer.TryWrite(Finish is null ? piece : piece with { Statistics = Statistics });
        return Finish is null;
    }

    private void Append(int token)
    {
        if (_count == _tokens.Length)
        {
            Array.Resize(ref _tokens, _count + Math.Min(Options.MaxNewTokens - Generated, _count + 64));
        }
        _tokens[_count++] = token;
        _latest = Stopwatch.GetTimestamp();
        _first = Generated == 1 ? _latest : _first;
    }

    private GenerationStatistics Statistics => new(PromptLength, Generated, TimeToFirstToken, DecodeTime, _sampler!.Seed)
    {
        CachedTokens = Cached,
        QueueTime = Stopwatch.GetElapsedTime(_submitted, _joined),
        AcceptedDraftTokens = AcceptedDrafts,
    };
}
