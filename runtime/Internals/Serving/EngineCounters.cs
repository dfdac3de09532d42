using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// What an engine has done, for its status, and as metrics with OpenTelemetry's names for generative AI (semantic conventions, gen_ai.server.*).
/// The scheduler's thread writes, any may read.
/// </summary>
internal sealed class EngineCounters : IDisposable
{
    public const string MeterName = "LatentMoE.Runtime";
    private readonly Meter _meter;
    private readonly Histogram<double> _duration, _firstToken, _perToken;
    private readonly Histogram<long> _usage;
    private readonly TagList _tags;
    private long _prompt, _cached, _generated, _drafts, _accepted, _runs, _completed, _prefixBytes, _runTicks, _busyTicks;

    public EngineCounters(string model)
    {
        _meter = new Meter(MeterName);
        _tags = new TagList { { "gen_ai.operation.name", "text_completion" }, { "gen_ai.provider.name", "latentmoe" }, { "gen_ai.request.model", model } };
        _duration = Seconds("gen_ai.server.request.duration", "From the request to its last token.",
            0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
        _firstToken = Seconds("gen_ai.server.time_to_first_token", "From the request to its first token.",
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10);
        _perToken = Seconds("gen_ai.server.time_per_output_token", "Of an answer after its first token.",
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5);
        _usage = _meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Tokens of a request.",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576] });
    }

    /// <param name="started">The stopwatch's time before the run.</param>
    public void Ran(long started, int promptTokens = 0)
    {
        Interlocked.Add(ref _runTicks, Stopwatch.GetTimestamp() - started);
        Interlocked.Increment(ref _runs);
        Interlocked.Add(ref _prompt, promptTokens);
    }

    public void Busy(long started) => Interlocked.Add(ref _busyTicks, Stopwatch.GetTimestamp() - started);

    public void Restored(int tokens)
    {
        Interlocked.Add(ref _cached, tokens);
        Interlocked.Add(ref _prompt, tokens);
    }

    public void Wrote(int tokens, int drafts, int accepted)
    {
        Interlocked.Add(ref _generated, tokens);
        Interlocked.Add(ref _drafts, drafts);
        Interlocked.Add(ref _accepted, accepted);
    }

    public void Holds(long prefixBytes) => Volatile.Write(ref _prefixBytes, prefixBytes);

    public void Ended(EngineRequest request, Exception? failure)
    {
        Interlocked.Increment(ref _completed);
        var tags = _tags;
        if (failure is not null)
        {
            tags.Add("error.type", failure.GetType().FullName);
        }
        _duration.Record(request.Age.TotalSeconds, tags);
        _usage.Record(request.PromptLength, [.. _tags, new("gen_ai.token.type", "input")]);
        if (request.Generated > 0)
        {
            _usage.Record(request.Generated, [.. _tags, new("gen_ai.token.type", "output")]);
            _firstToken.Record(request.TimeToFirstToken.TotalSeconds, _tags);
        }
        if (request.Generated > 1)
        {
            _perToken.Record(request.DecodeTime.TotalSeconds / (request.Generated - 1), _tags);
        }
    }

    public EngineStatus Status(RequestQueue queue, int rows) => new()
    {
        Running = queue.Running,
        Waiting = queue.Waiting,
        Rows = rows,
        CacheBytesReserved = queue.ReservedBytes,
        CacheBytesLimit = queue.CacheBytes,
        PrefixCacheBytes = Volatile.Read(ref _prefixBytes),
        PromptTokens = Volatile.Read(ref _prompt),
        CachedPromptTokens = Volatile.Read(ref _cached),
        GeneratedTokens = Volatile.Read(ref _generated),
        DraftTokens = Volatile.Read(ref _drafts),
        AcceptedDraftTokens = Volatile.Read(ref _accepted),
        Runs = Volatile.Read(ref _runs),
        RunTime = Stopwatch.GetElapsedTime(0, Volatile.Read(ref _runTicks)),
        BusyTime = Stopwatch.GetElapsedTime(0, Volatile.Read(ref _busyTicks)),
        Completed = Volatile.Read(ref _completed),
        Draining = queue.Closed,
    };

    public void Dispose() => _meter.Dispose();

    private Histogram<double> Seconds(string name, string description, params double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
