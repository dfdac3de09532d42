using System.Diagnostics;
using LatentMoE.Runtime;

namespace LatentMoE.Benchmarks.Serving;

/// <summary>Medians of all timings; the ratios are medians of each timing's ratio.</summary>
internal sealed record ServingResult
{
    public double SessionTokensPerSecond { get; init; }
    public double EngineTokensPerSecond { get; init; }
    public double EngineOverSession { get; init; }
    public double OneAtATimeTokensPerSecond { get; init; }
    public double TogetherTokensPerSecond { get; init; }
    public double TogetherOverOneAtATime { get; init; }
    public double EngineShareOfOne { get; init; }
    public double EngineShareTogether { get; init; }
    public double EngineShareTogetherGreedy { get; init; }
    public double FirstTokenMilliseconds { get; init; }
    public double CachedFirstTokenMilliseconds { get; init; }
    public double FirstTokenOverCached { get; init; }
}

/// <summary>
/// One timing of each kind in turn, so that a machine that drifts drifts for all. Tokens are drawn from the model's own, nearly even
/// distribution over all ids, so that every expert is used.
/// </summary>
internal sealed class ServingBench(LanguageModel model, int streams, int tokens, int runs, int prefix = 512)
{
    private const int PromptTokens = 8, LastTokens = 16;
    private readonly Random _random = new(1);
    private readonly Dictionary<string, List<double>> _values = [];

    public ServingResult Run()
    {
        for (int run = -1; run < runs; run++) // the first one warms up
        {
            using var engine = new InferenceEngine(model, new() { MaxRows = streams, PrefixCacheBytes = 0 });
            using var caching = new InferenceEngine(model, new() { MaxRows = 1 });
            var values = Once(engine, caching);
            foreach (var (name, value) in run < 0 ? [] : values)
            {
                _values.TryAdd(name, []);
                _values[name].Add(value);
            }
        }
        return new()
        {
            SessionTokensPerSecond = Median("session"),
            EngineTokensPerSecond = Median("engine"),
            EngineOverSession = Ratio("engine", "session"),
            OneAtATimeTokensPerSecond = Median("one"),
            TogetherTokensPerSecond = Median("together"),
            TogetherOverOneAtATime = Ratio("together", "one"),
            EngineShareOfOne = Median("share one"),
            EngineShareTogether = Median("share together"),
            EngineShareTogetherGreedy = Median("share greedy"),
            FirstTokenMilliseconds = Median("first"),
            CachedFirstTokenMilliseconds = Median("cached"),
            FirstTokenOverCached = Ratio("first", "cached"),
        };
    }

    private Dictionary<string, double> Once(InferenceEngine engine, InferenceEngine caching)
    {
        var values = new Dictionary<string, double> { ["session"] = Session() };
        var before = engine.Status;
        values["engine"] = Answer(engine, Prompt(PromptTokens), 1).Result.DecodeTokensPerSecond;
        values["share one"] = Share(before, engine.Status);
        values["one"] = Rate(async () =>
        {
            for (int i = 0; i < streams; i++)
            {
                await Answer(engine, Prompt(PromptTokens), 1).ConfigureAwait(false);
            }
        });
        before = engine.Status;
        values["together"] = Rate(() => Task.WhenAll(Enumerable.Range(0, streams).Select(_ => Answer(engine, Prompt(PromptTokens), 1))));
        values["share together"] = Share(before, engine.Status);
        before = engine.Status;
        Task.WhenAll(Enumerable.Range(0, streams).Select(_ => Answer(engine, Prompt(PromptTokens), 0))).Wait();
        values["share greedy"] = Share(before, engine.Status);
        int[] shared = Prompt(prefix);
        values["first"] = 1000 * Answer(caching, [.. shared, .. Prompt(LastTokens)], 0, 1).Result.PrefillTime.TotalSeconds;
        values["cached"] = 1000 * Answer(caching, [.. shared, .. Prompt(LastTokens)], 0, 1).Result.PrefillTime.TotalSeconds;
        return values;
    }

    // Steps of one session with random ids: what Bench measures as decode at context 0.
    private double Session()
    {
        var session = model.Pool.Rent(CancellationToken.None);
        try
        {
            session.Prefill(Prompt(PromptTokens));
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < tokens; i++)
            {
                session.Step(_random.Next(model.VocabularySize));
            }
            return tokens / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            model.Pool.Return(session);
        }
    }

    private async Task<GenerationStatistics> Answer(InferenceEngine engine, int[] prompt, float temperature, int? count = null)
    {
        var options = new GenerationOptions
        {
            Temperature = temperature, TopP = 1, IgnoreEndOfSequence = true, MaxNewTokens = count ?? tokens, Seed = (ulong)prompt[0],
        };
        GenerationStatistics? statistics = null;
        await foreach (var piece in engine.GenerateAsync(prompt, options).ConfigureAwait(false))
        {
            statistics = piece.Statistics;
        }
        return statistics!;
    }

    private double Rate(Func<Task> answers)
    {
        long started = Stopwatch.GetTimestamp();
        answers().Wait();
        return streams * tokens / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Share(EngineStatus before, EngineStatus after) =>
        1 - (after.RunTime - before.RunTime) / (after.BusyTime - before.BusyTime);

    private int[] Prompt(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(model.VocabularySize))];

    private double Median(string name) => Statistics.Median(_values[name]);

    private double Ratio(string name, string other) => Statistics.Median([.. _values[name].Zip(_values[other], (a, b) => a / b)]);
}
