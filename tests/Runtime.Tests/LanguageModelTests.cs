using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Runtime.Tests;

[Collection(nameof(TestPackages))]
public class LanguageModelTests
{
    private static readonly GenerationOptions Greedy = GenerationOptions.Greedy with { IgnoreEndOfSequence = true };
    private static readonly GenerationOptions Random = new() { MaxNewTokens = 40, Seed = 5, Temperature = 1, IgnoreEndOfSequence = true };

    [Theory]
    [MemberData(nameof(TestPackages.Families), MemberType = typeof(TestPackages))]
    public void GenerateTokens_Greedy_EqualsTheFloat64Reference(string family)
    {
        using var model = TestPackages.Load(family);
        int[] prompt = [TinyTokenizer.EndOfText, 17, 101, 260];
        long[] expected = ReferenceDecoder.Open(TestPackages.Checkpoint(family)).Greedy([.. prompt.Select(t => (long)t)], 24);
        Assert.Equal(expected.Select(t => (int)t), model.GenerateTokens(prompt, Greedy with { MaxNewTokens = 24 }));
    }

    [Fact]
    public async Task GenerateAsync_StreamsWhatGenerateReturns()
    {
        using var model = TestPackages.Load("LatentMoE");
        var whole = model.Generate("the end", Random);
        var pieces = await Collect(model.GenerateAsync("the end", Random));
        Assert.Equal(whole.Text, string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal(whole.TokenIds, pieces.Select(p => p.TokenId));
        Assert.Equal(Enumerable.Range(0, 40), pieces.Select(p => p.Index));
        Assert.All(pieces[..^1], p => Assert.True(p.FinishReason is null && p.Statistics is null));
        Assert.Equal(FinishReason.MaxNewTokens, pieces[^1].FinishReason);
        Assert.Equal(model.Decode(whole.TokenIds), whole.Text);
    }

    [Fact]
    public void Generate_PrependsBeginOfSequenceAsThePackageSays()
    {
        using var model = TestPackages.Load("LatentMoE");
        int[] text = model.Encode("the end");
        var expected = model.Generate([TinyTokenizer.EndOfText, .. text], Greedy);
        Assert.Equal(expected.TokenIds, model.Generate("the end", Greedy).TokenIds);
        var without = model.Generate("the end", Greedy with { AddBeginOfSequence = false });
        Assert.Equal(model.Generate(text, Greedy).TokenIds, without.TokenIds);
        Assert.NotEqual(expected.TokenIds, without.TokenIds);
        Assert.Equal((text.Length + 1, text.Length), (expected.Statistics.PromptTokens, without.Statistics.PromptTokens));
    }

    [Fact]
    public void Generate_RepetitionPenalty_CoversPromptAndAnswer()
    {
        const float penalty = 3;
        using var model = TestPackages.Load("LatentDense");
        var reference = ReferenceDecoder.Open(TestPackages.Checkpoint("LatentDense"));
        var all = new List<long> { 7, 200, 31 };
        for (int i = 0; i < 12; i++)
        {
            double[] logits = reference.Logits(all)[^model.VocabularySize..];
            foreach (long seen in all.Distinct())
            {
                logits[seen] = logits[seen] < 0 ? logits[seen] * penalty : logits[seen] / penalty;
            }
            all.Add(Array.IndexOf(logits, logits.Max()));
        }
        var options = Greedy with { MaxNewTokens = 12, RepetitionPenalty = penalty };
        Assert.Equal(all.Skip(3).Select(t => (int)t), model.GenerateTokens([7, 200, 31], options));
        Assert.NotEqual(model.GenerateTokens([7, 200, 31], options), model.GenerateTokens([7, 200, 31], options with { RepetitionPenalty = 1 }));
    }

    [Fact]
    public void Generate_PresenceAndFrequencyPenalty_CoverTheAnswerAlone()
    {
        const float presence = 0.7f, frequency = 0.4f;
        using var model = TestPackages.Load("LatentDense");
        var reference = ReferenceDecoder.Open(TestPackages.Checkpoint("LatentDense"));
        var all = new List<long> { 7, 200, 31 };
        for (int i = 0; i < 12; i++)
        {
            double[] logits = reference.Logits(all)[^model.VocabularySize..];
            foreach (var seen in all.Skip(3).CountBy(id => id))
            {
                logits[seen.Key] -= presence + frequency * seen.Value;
            }
            all.Add(Array.IndexOf(logits, logits.Max()));
        }
        var options = Greedy with { MaxNewTokens = 12, PresencePenalty = presence, FrequencyPenalty = frequency };
        Assert.Equal(all.Skip(3).Select(t => (int)t), model.GenerateTokens([7, 200, 31], options));
        Assert.NotEqual(model.GenerateTokens([7, 200, 31], options), model.GenerateTokens([7, 200, 31], Greedy with { MaxNewTokens = 12 }));
    }

    [Fact]
    public void Generate_LogitBias_ForbidsAndForces()
    {
        using var model = TestPackages.Load("LatentMoE");
        int first = model.GenerateTokens([5, 6], Greedy).First();
        var forbidden = Greedy with { LogitBias = new Dictionary<int, float> { [first] = float.NegativeInfinity } };
        Assert.DoesNotContain(first, model.GenerateTokens([5, 6], forbidden with { MaxNewTokens = 30 }));
        var forced = Greedy with { MaxNewTokens = 4, LogitBias = new Dictionary<int, float> { [77] = 1000 } };
        Assert.Equal([77, 77, 77, 77], model.GenerateTokens([5, 6], forced));
        var outside = new Dictionary<int, float> { [272] = 1 };
        Assert.Contains("272", Assert.Throws<ArgumentException>(() => model.Generate([5], Greedy with { LogitBias = outside })).Message);
        // At the call, not when the stream is read.
        Assert.Throws<ArgumentException>(() => { model.GenerateAsync("the", Greedy with { StopTokens = [-1] }); });
    }

    [Fact]
    public async Task GenerateAsync_Logprobs_AreThoseOfTheReference()
    {
        using var model = TestPackages.Load("LatentDense");
        var reference = ReferenceDecoder.Open(TestPackages.Checkpoint("LatentDense"));
        var all = new List<long> { 7, 200, 31 };
        // Settings that change the choice, and must not change what the model thinks of it.
        var options = Random with { MaxNewTokens = 10, Logprobs = 3, Temperature = 2, FrequencyPenalty = 1, LogitBias = new Dictionary<int, float> { [40] = 3 } };
        var pieces = await Collect(model.GenerateAsync([7, 200, 31], options));
        Assert.Equal(10, pieces.Count);
        foreach (var piece in pieces)
        {
            double[] logits = reference.Logits(all)[^model.VocabularySize..];
            double sum = Math.Log(logits.Sum(Math.Exp));
            Assert.Equal(logits[piece.TokenId] - sum, piece.Logprobs!.Logprob, 1e-3);
            Assert.Equal(logits.OrderDescending().Take(3).Select(x => x - sum), piece.Logprobs.Top.Select(t => (double)t.Logprob), (x, y) => Math.Abs(x - y) < 1e-3);
            Assert.All(piece.Logprobs.Top, t => Assert.Equal(logits[t.TokenId] - sum, t.Logprob, 1e-3));
            all.Add(piece.TokenId);
        }
        Assert.All(await Collect(model.GenerateAsync("the", Random)), p => Assert.Null(p.Logprobs));
    }

    [Fact]
    public async Task Generate_StopToken_EndsWithoutItsText()
    {
        using var model = TestPackages.Load("LatentMoE");
        var whole = model.Generate("the", Random);
        int at = Enumerable.Range(8, 30).First(i => model.Decode([whole.TokenIds[i]]).Length > 0 && !whole.TokenIds.Take(i).Contains(whole.TokenIds[i]));
        var options = Random with { StopTokens = [whole.TokenIds[at]] };
        var cut = model.Generate("the", options);
        Assert.Equal(FinishReason.StopToken, cut.FinishReason);
        Assert.Equal(whole.TokenIds.Take(at + 1), cut.TokenIds);
        Assert.Equal(model.Decode(whole.TokenIds.Take(at)), cut.Text);
        var pieces = await Collect(model.GenerateAsync("the", options));
        Assert.Equal(cut.Text, string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal(FinishReason.StopToken, pieces[^1].FinishReason);
    }

    [Fact]
    public void Generate_SameSeed_SameTokens()
    {
        using var model = TestPackages.Load("LatentMoE");
        using var again = TestPackages.Load("LatentMoE");
        var first = model.Generate("the", Random);
        Assert.Equal(first.TokenIds, model.Generate("the", Random).TokenIds);
        Assert.Equal(first.TokenIds, again.Generate("the", Random).TokenIds);
        Assert.NotEqual(first.TokenIds, model.Generate("the", Random with { Seed = 6 }).TokenIds);
        var free = model.Generate("the", Random with { Seed = null });
        Assert.Equal(free.TokenIds, model.Generate("the", Random with { Seed = free.Statistics.Seed }).TokenIds);
    }

    [Fact]
    public async Task Generate_StopString_EndsBeforeIt()
    {
        using var model = TestPackages.Load("LatentMoE");
        var whole = model.Generate("the", Random);
        Assert.True(whole.Text.Length > 20);
        // Three characters of the text, so that the stop string spans tokens.
        string stop = whole.Text.Substring(12, 3);
        var cut = model.Generate("the", Random with { StopStrings = ["never there", stop] });
        Assert.Equal(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], cut.Text);
        Assert.Equal(FinishReason.StopString, cut.FinishReason);
        Assert.Equal(whole.TokenIds.Take(cut.TokenIds.Count), cut.TokenIds);
        var pieces = await Collect(model.GenerateAsync("the", Random with { StopStrings = [stop] }));
        Assert.Equal(cut.Text, string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal(FinishReason.StopString, pieces[^1].FinishReason);
    }

    [Fact]
    public void Generate_EndOfSequence_IsTheLastToken()
    {
        using var whole = TestPackages.Load("LatentMoE");
        var tokens = whole.Generate("the", Greedy with { MaxNewTokens = 20 }).TokenIds;
        int end = tokens[6], first = tokens.ToList().IndexOf(end);
        using var copy = TestPackages.Copy("LatentMoE");
        TestPackages.Edit(copy, "genai_config.json", root => root["model"]!["eos_token_id"] = new System.Text.Json.Nodes.JsonArray(end, 1));
        using var model = LanguageModel.Load(copy.Path, new() { Device = Device.Cpu });
        var result = model.Generate("the", GenerationOptions.Greedy);
        Assert.Equal(tokens.Take(first + 1), result.TokenIds);
        Assert.Equal(FinishReason.EndOfSequence, result.FinishReason);
        Assert.Equal(first + 1, result.Statistics.GeneratedTokens);
        Assert.Equal(20, model.Generate("the", Greedy with { MaxNewTokens = 20 }).TokenIds.Count);
    }

    [Fact]
    public void Generate_ToTheEndOfTheContext()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, ContextLength = 30 });
        Assert.Equal(30, model.ContextLength);
        int[] prompt = [.. Enumerable.Range(2, 20)];
        var result = model.Generate(prompt, Greedy);
        Assert.Equal((10, FinishReason.ContextLength), (result.TokenIds.Count, result.FinishReason));
        Assert.Single(model.Generate([.. Enumerable.Range(2, 29)], Greedy).TokenIds);
    }

    [Fact]
    public void Generate_PromptTooLong_ThrowsBeforeRunning()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, ContextLength = 30 });
        var error = Assert.Throws<PromptTooLongException>(() => model.Generate(new string('x', 40), Greedy));
        Assert.Equal((41, 30), (error.PromptTokens, error.ContextLength));
        Assert.Contains("41 tokens", error.Message);
        Assert.Contains("at most 29", error.Message);
        // At the call, not when the stream is read.
        Assert.Throws<PromptTooLongException>(() => { model.GenerateAsync([.. Enumerable.Range(2, 30)], Greedy); });
        Assert.Throws<PromptTooLongException>(() => { model.GenerateTokens([.. Enumerable.Range(2, 30)], Greedy); });
    }

    [Fact]
    public void Generate_UnusablePrompts_Throw()
    {
        using var model = TestPackages.Load("LatentMoE");
        Assert.Contains("no tokens", Assert.Throws<ArgumentException>(() => model.Generate("", Greedy with { AddBeginOfSequence = false })).Message);
        Assert.Contains("is 272", Assert.Throws<ArgumentException>(() => model.Generate([5, 272], Greedy)).Message);
        Assert.Contains("is -1", Assert.Throws<ArgumentException>(() => model.Generate([-1], Greedy)).Message);
    }

    [Fact]
    public async Task GenerateAsync_Cancelled_StopsAndTheModelGoesOn()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, MaxConcurrency = 1 });
        var expected = model.Generate("the", Random).TokenIds;
        using var cancel = new CancellationTokenSource();
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in model.GenerateAsync("the", Random with { MaxNewTokens = 300 }, cancel.Token))
            {
                seen++;
                if (piece.Index == 2)
                {
                    await cancel.CancelAsync();
                }
            }
        });
        Assert.InRange(seen, 3, 100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Collect(model.GenerateAsync("the", Random, cancel.Token)));
        Assert.ThrowsAny<OperationCanceledException>(() => model.Generate("the", Random, cancel.Token));
        Assert.Equal(expected, model.Generate("the", Random).TokenIds);
    }

    [Fact]
    public async Task GenerateAsync_LoopLeft_StopsTheModel()
    {
        using var model = LanguageModel.Load(TestPackages.Endless(), new() { Device = Device.Cpu, MaxConcurrency = 1 });
        async Task First()
        {
            await foreach (var piece in model.GenerateAsync([5], Random with { MaxNewTokens = 30_000 }))
            {
                Assert.Equal(0, piece.Index);
                break;
            }
        }
        await First().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Single(model.GenerateTokens([5], Random).Take(1));
        Assert.Equal(40, model.Generate("the", Random).TokenIds.Count);
    }

    [Fact]
    public async Task GenerateAsync_SideBySide_EqualsOneAfterTheOther()
    {
        using var model = TestPackages.Load("LatentMoE", new() { Device = Device.Cpu, MaxConcurrency = 3 });
        string[] prompts = ["the", "and", "on a hill", "here", "in the end"];
        var expected = prompts.Select((p, i) => model.Generate(p, Random with { Seed = (ulong)i }).TokenIds.ToArray()).ToArray();
        var streams = prompts.Select((p, i) => Task.Run(() => Collect(model.GenerateAsync(p, Random with { Seed = (ulong)i }))));
        var actual = await Task.WhenAll(streams);
        Assert.Equal(expected, actual.Select(pieces => pieces.Select(p => p.TokenId).ToArray()));
    }

    [Fact]
    public async Task Dispose_LetsARunningGenerationEnd()
    {
        var model = TestPackages.Load("LatentMoE");
        var expected = model.Generate("the", Random).TokenIds;
        await using var stream = model.GenerateAsync("the", Random).GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync());
        model.Dispose();
        model.Dispose();
        var tokens = new List<int> { stream.Current.TokenId };
        while (await stream.MoveNextAsync())
        {
            tokens.Add(stream.Current.TokenId);
        }
        Assert.Equal(expected, tokens);
        Assert.Throws<ObjectDisposedException>(() => model.Generate("the", Random));
    }

    [Fact]
    public void Generate_ReportsItsTimesAndCounts()
    {
        using var model = TestPackages.Load("LatentMoE");
        var s = model.Generate("the", Random).Statistics;
        Assert.Equal((model.Encode("the").Length + 1, 40, 5UL), (s.PromptTokens, s.GeneratedTokens, s.Seed));
        Assert.True(s.PrefillTime > TimeSpan.Zero && s.DecodeTime > TimeSpan.Zero);
        Assert.Equal(39 / s.DecodeTime.TotalSeconds, s.DecodeTokensPerSecond, 6);
        Assert.Equal(0, model.Generate("the", Random with { MaxNewTokens = 1 }).Statistics.DecodeTokensPerSecond);
    }

    [Fact]
    public void GenerateTokens_AllocatesNothingPerToken()
    {
        using var model = TestPackages.Load("LatentMoE");
        var options = Random with { MaxNewTokens = 250, TopK = 50, MinP = 0.01f, RepetitionPenalty = 1.1f };
        _ = model.GenerateTokens([5, 6, 7], options).Count();
        long start = 0, bytes = 0;
        int tokens = 0;
        foreach (int _ in model.GenerateTokens([5, 6, 7], options))
        {
            // From the 20th token to the 120th: within one view of the cache.
            tokens++;
            start = tokens == 20 ? GC.GetAllocatedBytesForCurrentThread() : start;
            bytes = tokens == 120 ? GC.GetAllocatedBytesForCurrentThread() - start : bytes;
        }
        Assert.True(tokens == 250 && bytes == 0, $"{bytes} bytes in 100 of {tokens} tokens");
    }

    private static async Task<List<GeneratedPiece>> Collect(IAsyncEnumerable<GeneratedPiece> stream)
    {
        var pieces = new List<GeneratedPiece>();
        await foreach (var piece in stream)
        {
            pieces.Add(piece);
        }
        return pieces;
    }
}
