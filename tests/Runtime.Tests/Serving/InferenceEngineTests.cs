using System.Diagnostics.Metrics;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Runtime.Tests.Serving;

[Collection(nameof(TestPackages))]
public class InferenceEngineTests
{
    private static readonly GenerationOptions Greedy = GenerationOptions.Greedy with { IgnoreEndOfSequence = true };

    /// <summary>Families, rows, prompt tokens a step, prefix cache, guesses.</summary>
    public static TheoryData<string, int, int, long, int> Engines { get; } = new()
    {
        { "LatentMoE", 1, 256, 0, 0 },
        { "LatentMoE", 5, 7, 1 << 20, 0 },
        { "LatentMoE", 5, 64, 1 << 14, 3 },
        { "LatentMoE", 16, 256, 1 << 20, 0 },
        { "LatentDense", 3, 16, 1 << 20, 5 },
        { "Llama", 4, 32, 1 << 20, 2 },
        { "Glm4Moe", 4, 256, 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task GenerateAsync_ManyAtOnce_GiveWhatEachGivesAlone(string family, int rows, int prefill, long prefixBytes, int drafts)
    {
        using var model = TestPackages.Load(family);
        await using var engine = new InferenceEngine(model, new()
        {
            MaxRows = rows, PrefillTokensPerStep = prefill, PrefixCacheBytes = prefixBytes, DraftTokens = drafts,
        });
        var random = new Random(rows + prefill);
        var requests = Enumerable.Range(0, 40).Select(i => Request(random, i)).ToArray();
        var answers = await Task.WhenAll(requests.Select((request, i) => Task.Run(async () =>
        {
            await Task.Delay(i % 7 * 5);
            return await Collect(engine.GenerateAsync(request.Prompt, request.Options));
        })));
        for (int i = 0; i < requests.Length; i++)
        {
            var alone = model.Generate(requests[i].Prompt, requests[i].Options);
            Assert.True(alone.TokenIds.SequenceEqual(answers[i].Select(piece => piece.TokenId)),
                $"request {i}: alone [{string.Join(' ', alone.TokenIds)}], in the batch [{string.Join(' ', answers[i].Select(piece => piece.TokenId))}]");
            Assert.Equal(alone.Text, string.Concat(answers[i].Select(piece => piece.Text)));
            Assert.Equal(alone.FinishReason, answers[i][^1].FinishReason);
            var statistics = answers[i][^1].Statistics!;
            Assert.Equal((alone.Statistics.PromptTokens, alone.Statistics.GeneratedTokens, alone.Statistics.Seed),
                (statistics.PromptTokens, statistics.GeneratedTokens, statistics.Seed));
        }
        await Idle(engine);
        Assert.Equal(requests.Length, engine.Status.Completed);
        Assert.Equal(requests.Sum(request => request.Prompt.Length), engine.Status.PromptTokens);
        Assert.Equal(answers.Sum(answer => answer.Count), engine.Status.GeneratedTokens);
        Assert.Equal(0, engine.Status.CacheBytesReserved);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GenerateAsync_OnADevice_WhereRowsCannotMove_GivesTheSame(bool experts)
    {
        using var there = TestPackages.Load("LatentMoE", new() { Device = Device.Cuda, PretendDevice = true, Threads = 1 });
        await using var engine = new InferenceEngine(there, new() { MaxRows = 4, DraftTokens = 2, TrackExperts = experts });
        var random = new Random(2);
        var requests = Enumerable.Range(0, 20).Select(i => Request(random, i)).ToArray();
        var answers = await Task.WhenAll(requests.Select(request => Collect(engine.GenerateAsync(request.Prompt, request.Options))));
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(there.Generate(requests[i].Prompt, requests[i].Options).TokenIds, answers[i].Select(piece => piece.TokenId));
            Assert.All(answers[i], piece => Assert.Equal(experts, piece.Experts is not null));
        }
        Assert.Equal(0, engine.Status.CachedPromptTokens);
        using var multiHead = TestPackages.Load("Llama", new() { Device = Device.Cuda, PretendDevice = true, Threads = 1 });
        var refusal = Assert.Throws<NotSupportedException>(() => new InferenceEngine(multiHead));
        Assert.Contains("multi-head", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GenerateAsync_ASharedStart_IsComputedOnce()
    {
        using var model = TestPackages.Load("LatentMoE");
        await using var engine = new InferenceEngine(model);
        int[] start = [.. Enumerable.Range(0, 100).Select(i => 2 + i * 37 % 250)];
        var options = Greedy with { MaxNewTokens = 20 };
        var first = await Collect(engine.GenerateAsync([.. start, 5, 6], options));
        var second = await Collect(engine.GenerateAsync([.. start, 9, 8, 7], options));
        var turn = await Collect(engine.GenerateAsync([.. start, 5, 6, .. first.Select(piece => piece.TokenId), 11], options));
        Assert.Equal([0, 96, 112], new[] { first, second, turn }.Select(pieces => pieces[^1].Statistics!.CachedTokens));
        Assert.Equal(model.Generate([.. start, 9, 8, 7], options).TokenIds, second.Select(piece => piece.TokenId));
    }

    [Fact]
    public async Task GenerateAsync_EqualPromptsAtOnce_ReadItOnce()
    {
        using var model = TestPackages.Load("LatentMoE");
        await using var engine = new InferenceEngine(model);
        int[] prompt = [.. Enumerable.Range(0, 160).Select(i => 2 + i * 41 % 250)];
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            Collect(engine.GenerateAsync(prompt, new() { Seed = (ulong)i, MaxNewTokens = 4, IgnoreEndOfSequence = true }))));
        Assert.Equal(7 * 144, answers.Sum(answer => answer[^1].Statistics!.CachedTokens));
        Assert.True(answers.Select(answer => string.Join(' ', answer.Select(piece => piece.TokenId))).Distinct().Count() > 1, "every seed gave the same answer");
    }

    [Fact]
    public async Task GenerateAsync_Guesses_SaveRunsAndChangeNothing()
    {
        using var model = TestPackages.Load("LatentMoE");
        int[] lengths = [.. Enumerable.Range(190, 8)]; // ends within a run of guesses too
        var options = Greedy with { MaxNewTokens = 200, LogitBias = new Dictionary<int, float> { [20] = 50, [30] = 50, [40] = 50 } };
        int[] prompt = [.. Enumerable.Repeat(new[] { 20, 30, 40, 50 }, 8).SelectMany(ids => ids)];
        await using var plain = new InferenceEngine(model);
        await using var guessing = new InferenceEngine(model, new() { DraftTokens = 4 });
        var expected = await Collect(plain.GenerateAsync(prompt, options));
        var guessed = await Collect(guessing.GenerateAsync(prompt, options));
        Assert.Equal(expected.Select(piece => piece.TokenId), guessed.Select(piece => piece.TokenId));
        Assert.Equal(guessed[^1].Statistics!.AcceptedDraftTokens, guessing.Status.AcceptedDraftTokens);
        Assert.Equal(plain.Status.Runs - guessing.Status.AcceptedDraftTokens, guessing.Status.Runs);
        foreach (int length in lengths)
        {
            long before = guessing.Status.AcceptedDraftTokens;
            guessed = await Collect(guessing.GenerateAsync(prompt, options with { MaxNewTokens = length }));
            Assert.Equal(expected.Take(length).Select(piece => piece.TokenId), guessed.Select(piece => piece.TokenId));
            Assert.Equal(guessed[^1].Statistics!.AcceptedDraftTokens, guessing.Status.AcceptedDraftTokens - before);
        }
        Assert.True(guessing.Status.AcceptedDraftTokens > 20, $"{guessing.Status.AcceptedDraftTokens} guesses were right in a greedy answer, which repeats itself");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GenerateAsync_TrackingExperts_NamesTheRoutersChoices(bool library)
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, Threads = 1, UseOperatorLibrary = library });
        await using var engine = new InferenceEngine(model, new() { TrackExperts = true });
        var options = Greedy with { MaxNewTokens = 12 };
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Collect(engine.GenerateAsync([3 + i, 40], options))));
        for (int i = 0; i < answers.Length; i++)
        {
            Assert.Equal(model.Generate([3 + i, 40], options).TokenIds, answers[i].Select(piece => piece.TokenId));
            var reference = ReferenceDecoder.Open(TestPackages.Checkpoint("LatentMoE"));
            reference.Logits([3 + i, 40, .. answers[i].Select(piece => (long)piece.TokenId)]);
            for (int at = 0; at < answers[i].Count; at++)
            {
                // The token before, whose run chose this one.
                var expected = reference.Chosen.Select(layer => string.Join(' ', layer[1 + at].Order()));
                Assert.Equal(expected, answers[i][at].Experts!.Layers.Select(layer => string.Join(' ', layer.Order())));
            }
        }
        await using var plain = new InferenceEngine(model);
        Assert.Null((await Collect(plain.GenerateAsync([3], options)))[0].Experts);
    }

    [Fact]
    public async Task GenerateAsync_Left_FreesItsRow()
    {
        using var model = LanguageModel.Load(TestPackages.Endless(), new() { Device = Device.Cpu, Threads = 1 });
        await using var engine = new InferenceEngine(model, new() { MaxRows = 2 });
        var options = Greedy with { MaxNewTokens = 30_000 };
        for (int i = 0; i < 6; i++)
        {
            await foreach (var piece in engine.GenerateAsync([3 + i], options))
            {
                if (piece.Index == 3)
                {
                    break;
                }
            }
        }
        using var cancellation = new CancellationTokenSource();
        var cancelled = Collect(engine.GenerateAsync([7], options, cancellation.Token));
        var waiting = Collect(engine.GenerateAsync([8], options, cancellation.Token));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Idle(engine);
        Assert.Equal((0, 0, 0L), (engine.Status.Running, engine.Status.Waiting, engine.Status.CacheBytesReserved));
    }

    [Fact]
    public async Task GenerateAsync_MoreThanMayWait_IsRefused()
    {
        using var model = LanguageModel.Load(TestPackages.Endless(), new() { Device = Device.Cpu, Threads = 1 });
        await using var engine = new InferenceEngine(model, new() { MaxRows = 1, MaxQueue = 1 });
        var options = Greedy with { MaxNewTokens = 20_000 };
        await using var running = engine.GenerateAsync([3], options).GetAsyncEnumerator();
        await using var waiting = engine.GenerateAsync([4], options).GetAsyncEnumerator();
        Assert.True(await running.MoveNextAsync());
        var next = waiting.MoveNextAsync();
        var refusal = await Assert.ThrowsAsync<QueueFullException>(() => Collect(engine.GenerateAsync([5], options)));
        Assert.InRange(refusal.RetryAfter.TotalSeconds, 1, 60);
        Assert.Contains("1 requests are waiting", refusal.Message, StringComparison.Ordinal);
        await running.DisposeAsync();
        Assert.True(await next);
    }

    [Fact]
    public async Task GenerateAsync_CacheMemory_DecidesWhoComesIn()
    {
        using var model = TestPackages.Load("LatentMoE");
        long token = 2 * 2 * 16 * sizeof(float); // two layers, two halves of (24 + 8) / 2 numbers
        await using var engine = new InferenceEngine(model, new() { MaxRows = 8, CacheBytes = 250 * token });
        var options = Greedy with { MaxNewTokens = 90 };
        var tasks = Enumerable.Range(0, 6).Select(i => Collect(engine.GenerateAsync([3 + i, 4, 5, 6, 7, 8, 9, 10, 11, 12], options))).ToArray();
        int most = 0;
        while (!Task.WhenAll(tasks).IsCompleted)
        {
            most = Math.Max(most, engine.Status.Running);
            Assert.True(engine.Status.CacheBytesReserved <= 250 * token);
            await Task.Delay(1);
        }
        Assert.Equal(2, most);
        Assert.All(tasks, task => Assert.Equal(90, task.Result.Count));
        var tooLarge = await Assert.ThrowsAsync<RequestTooLargeException>(() => Collect(engine.GenerateAsync([1, 2], Greedy with { MaxNewTokens = 300 })));
        Assert.Contains($"{302 * token} bytes", tooLarge.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DrainAsync_LetsRunningAnswersEndAndNobodyIn()
    {
        using var model = TestPackages.Load("LatentMoE");
        await using var engine = new InferenceEngine(model, new() { MaxRows = 2 });
        var answers = Enumerable.Range(0, 5).Select(i => Collect(engine.GenerateAsync([3 + i], Greedy with { MaxNewTokens = 100 }))).ToArray();
        await engine.DrainAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(answers, answer => Assert.True(answer.Wait(1000) && answer.Result.Count == 100));
        Assert.True(engine.Status.Draining);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Collect(engine.GenerateAsync([3], Greedy)));
    }

    [Fact]
    public async Task GenerateAsync_WhereAListenerToMetricsFails_GoesOn()
    {
        using var model = TestPackages.Load("LatentMoE");
        await using var engine = new InferenceEngine(model);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name == "LatentMoE.Runtime")
            {
                own.EnableMeasurementEvents(instrument);
            }
        };
        int heard = 0;
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException($"measurement {++heard}"));
        listener.Start();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(5, (await Collect(engine.GenerateAsync([3 + i], Greedy with { MaxNewTokens = 5 }))).Count);
            await Idle(engine);
        }
        Assert.Equal((3, 0L), (heard, engine.Status.CacheBytesReserved));
    }

    [Fact]
    public async Task Dispose_BreaksOffWhatRuns()
    {
        using var model = LanguageModel.Load(TestPackages.Endless(), new() { Device = Device.Cpu, Threads = 1 });
        var engine = new InferenceEngine(model, new() { MaxRows = 1 });
        await using var running = engine.GenerateAsync([3], Greedy with { MaxNewTokens = 20_000 }).GetAsyncEnumerator();
        Assert.True(await running.MoveNextAsync());
        var waiting = Collect(engine.GenerateAsync([4], Greedy with { MaxNewTokens = 20_000 }));
        engine.Dispose();
        engine.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            while (await running.MoveNextAsync())
            {
            }
        });
        Assert.Equal(5, model.Generate([3], Greedy with { MaxNewTokens = 5 }).TokenIds.Count);
    }

    internal static async Task<List<GeneratedPiece>> Collect(IAsyncEnumerable<GeneratedPiece> pieces)
    {
        var all = new List<GeneratedPiece>();
        await foreach (var piece in pieces)
        {
            all.Add(piece);
        }
        return all;
    }

    internal static async Task Idle(InferenceEngine engine)
    {
        for (int i = 0; i < 500 && engine.Status.Running + engine.Status.Waiting > 0; i++)
        {
            await Task.Delay(10);
        }
        Assert.Equal((0, 0), (engine.Status.Running, engine.Status.Waiting));
    }

    // Prompts that share starts, that repeat themselves, long and short; greedy and drawn.
    private static (int[] Prompt, GenerationOptions Options) Request(Random random, int i)
    {
        int[] shared = [.. Enumerable.Range(0, i % 3 * 20).Select(k => 2 + k * 31 % 200)];
        int[] own = [.. Enumerable.Range(0, 1 + random.Next(i % 5 == 0 ? 90 : 12)).Select(_ => random.Next(2, 272))];
        var options = new GenerationOptions
        {
            MaxNewTokens = 1 + random.Next(60),
            Temperature = i % 2 == 0 ? 0 : 1,
            TopP = i % 4 == 1 ? 0.9f : 1,
            RepetitionPenalty = i % 6 == 3 ? 1.2f : 1,
            Seed = (ulong)i,
            IgnoreEndOfSequence = i % 4 != 0,
            StopStrings = i % 8 == 5 ? ["e", "the"] : [],
            StopTokens = i % 8 == 7 ? [77, 99, 140] : [],
            FrequencyPenalty = i % 7 == 0 ? 0.5f : 0,
            Logprobs = i % 9 == 0 ? 3 : null,
        };
        return ([.. shared, .. own], options);
    }
}
