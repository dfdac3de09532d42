using System.Diagnostics;
using System.Diagnostics.Metrics;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Metrics;

/// <summary>
/// What the server measures, by OpenTelemetry's names for generative AI (semantic conventions, gen_ai), and the state of the engine.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    public const string MeterName = "LatentMoE.Server";

    private static readonly InstrumentAdvice<double> Requests = Buckets(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
    private static readonly InstrumentAdvice<double> FirstTokens =
        Buckets(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10);
    private static readonly InstrumentAdvice<double> OutputTokens =
        Buckets(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5);
    private static readonly InstrumentAdvice<long> Tokens = new()
    {
        HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
    };

    private readonly string _model;
    private readonly Histogram<double> _duration, _firstToken, _perToken;
    private readonly Histogram<long> _usage;

    public ServerMetrics(InferenceEngine engine, ServedModel served)
    {
        _model = served.Name;
        _duration = Meter.CreateHistogram("gen_ai.server.request.duration", "s", "From a request's arrival to its end.", null, Requests);
        _firstToken = Meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "From a request's arrival to its first token.", null, FirstTokens);
        _perToken = Meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Time of an answer's tokens after the first, for each.", null, OutputTokens);
        _usage = Meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Tokens of a request.", null, Tokens);
        ObserveEngine(engine);
    }

    public Meter Meter { get; } = new(MeterName);

    /// <summary>Begins to measure a request.</summary>
    public RequestMeasure Start(string operation) => new(this, operation);

    public void Dispose() => Meter.Dispose();

    internal void RecordFirstToken(TagList tags, TimeSpan time) => _firstToken.Record(time.TotalSeconds, tags);

    internal void RecordEnd(TagList tags, TimeSpan time, string? error)
    {
        if (error is not null)
        {
            tags.Add("error.type", error);
        }
        _duration.Record(time.TotalSeconds, tags);
    }

    internal void RecordAnswer(TagList tags, GenerationStatistics answer)
    {
        if (answer.GeneratedTokens > 1)
        {
            _perToken.Record(answer.DecodeTime.TotalSeconds / (answer.GeneratedTokens - 1), tags);
        }
    }

    internal void RecordUsage(TagList tags, string type, int tokens)
    {
        tags.Add("gen_ai.token.type", type);
        _usage.Record(tokens, tags);
    }

    internal TagList Tags(string operation) => new()
    {
        { "gen_ai.operation.name", operation },
        { "gen_ai.provider.name", "latentmoe" },
        { "gen_ai.request.model", _model },
    };

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };

    private void ObserveEngine(InferenceEngine engine)
    {
        Gauge("requests.running", "{request}", "Requests in the batch.", s => s.Running);
        Gauge("requests.waiting", "{request}", "Requests that wait for a row or for memory.", s => s.Waiting);
        Gauge("rows", "{row}", "Rows of the batch.", s => s.Rows);
        Gauge("cache.reserved", "By", "Cache that the running requests may come to use.", s => s.CacheBytesReserved);
        Gauge("cache.limit", "By", "Cache that requests can reserve in all.", s => s.CacheBytesLimit);
        Gauge("prefix_cache.size", "By", "What the prefix cache holds.", s => s.PrefixCacheBytes);
        Counter("prompt_tokens", "{token}", "Prompt tokens that requests came with.", s => s.PromptTokens);
        Counter("cached_prompt_tokens", "{token}", "Prompt tokens that the prefix cache had.", s => s.CachedPromptTokens);
        Counter("generated_tokens", "{token}", "Tokens written.", s => s.GeneratedTokens);
        Counter("draft_tokens", "{token}", "Tokens guessed.", s => s.DraftTokens);
        Counter("accepted_draft_tokens", "{token}", "Guessed tokens that were right.", s => s.AcceptedDraftTokens);
        Counter("runs", "{run}", "Runs of the model.", s => s.Runs);
        Counter("requests.completed", "{request}", "Requests that ended, whole, cancelled or failed.", s => s.Completed);

        void Gauge(string name, string unit, string description, Func<EngineStatus, long> value) =>
            Meter.CreateObservableGauge("latentmoe.engine." + name, () => value(engine.Status), unit, description);
        void Counter(string name, string unit, string description, Func<EngineStatus, long> value) =>
            Meter.CreateObservableCounter("latentmoe.engine." + name, () => value(engine.Status), unit, description);
    }
}
