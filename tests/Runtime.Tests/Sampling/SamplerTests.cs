using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class SamplerTests
{
    private static readonly GenerationOptions Plain = new() { Temperature = 1, TopP = 1, Seed = 11 };

    public static TheoryData<string, GenerationOptions> Choices => new()
    {
        { "plain", Plain },
        { "cold", Plain with { Temperature = 0.5f } },
        { "hot", Plain with { Temperature = 3 } },
        { "top-k", Plain with { TopK = 5 } },
        { "top-k of one", Plain with { TopK = 1 } },
        { "top-k of all", Plain with { TopK = 1000 } },
        { "top-p", Plain with { TopP = 0.7f } },
        { "smallest top-p", Plain with { TopP = 1e-6f } },
        { "min-p", Plain with { MinP = 0.13f } },
        { "penalty", Plain with { RepetitionPenalty = 1.8f } },
        { "presence", Plain with { PresencePenalty = 1.2f } },
        { "frequency", Plain with { FrequencyPenalty = -0.4f } },
        { "bias", Plain with { LogitBias = new Dictionary<int, float> { [0] = 2, [1] = float.NegativeInfinity } } },
        { "typical", Plain with { TypicalP = 0.7f } },
        { "smallest typical", Plain with { TypicalP = 1e-6f } },
        { "hot typical", Plain with { TypicalP = 0.4f, Temperature = 2 } },
        { "top-k, typical", Plain with { TopK = 9, TypicalP = 0.3f } },
        {
            "everything", Plain with
            {
                Temperature = 0.8f, TopK = 19, TopP = 0.93f, MinP = 0.05f, TypicalP = 0.8f, RepetitionPenalty = 1.3f, PresencePenalty = 0.3f, FrequencyPenalty = 0.2f,
                LogitBias = new Dictionary<int, float> { [0] = 1 },
            }
        },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Weights_AreTheProcessorsInOrder(string name, GenerationOptions options)
    {
        var random = new Random(3);
        for (int trial = 0; trial < 60; trial++)
        {
            int vocabulary = random.Next(2, 400);
            var logits = Logits(random, vocabulary, levels: trial % 2 == 0 ? 12 : 100_000);
            int[] prompt = Tokens(random, 10, vocabulary), generated = Tokens(random, 10, vocabulary);
            Match(NaiveSampler.Probabilities(logits, options, prompt, generated), Probabilities(logits, options, prompt, generated), $"{name}, trial {trial}");
        }
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void Sample_DrawsByTheWeights(string name, GenerationOptions options)
    {
        Assert.NotEmpty(name);
        float[] logits = Logits(new Random(4), 40, levels: 12);
        using var sampler = new Sampler(options, logits.Length);
        var counts = new int[logits.Length];
        for (int i = 0; i < 40_000; i++)
        {
            counts[sampler.Sample([.. logits])]++;
        }
        ChiSquare.Matches(NaiveSampler.Probabilities(logits, options), counts);
    }

    [Fact]
    public void Weights_AnyCombination_AreTheProcessorsInOrder()
    {
        var random = new Random(8);
        T Maybe<T>(T on, T off) => random.Next(2) == 0 ? on : off;
        for (int trial = 0; trial < 1500; trial++)
        {
            int vocabulary = random.Next(2, 300);
            var logits = Logits(random, vocabulary, levels: Maybe(9, 100_000));
            int[] prompt = Tokens(random, 10, vocabulary), generated = Tokens(random, 30, vocabulary);
            int[] biased = [.. Tokens(random, 5, vocabulary).Distinct().Except([0])];
            var options = new GenerationOptions
            {
                Seed = (ulong)trial,
                Temperature = random.Next(5) == 0 ? 0 : 0.3f + random.NextSingle() * 2,
                TopK = Maybe(random.Next(1, vocabulary), 0),
                TopP = Maybe(0.05f + 0.9f * random.NextSingle(), 1),
                MinP = Maybe(0.3f * random.NextSingle(), 0),
                TypicalP = Maybe(0.05f + 0.9f * random.NextSingle(), 1),
                RepetitionPenalty = Maybe(0.7f + random.NextSingle(), 1),
                PresencePenalty = Maybe(4 * random.NextSingle() - 2, 0),
                FrequencyPenalty = Maybe(4 * random.NextSingle() - 2, 0),
                LogitBias = Maybe(biased.ToDictionary(id => id, _ => random.Next(3) == 0 ? float.NegativeInfinity : 10 * random.NextSingle() - 5), []),
            };
            var mask = Maybe(Tokens(random, random.Next(200), vocabulary).Append(0).ToHashSet(), null);
            Func<int, bool>? allowed = mask is null ? null : mask.Contains;
            Match(NaiveSampler.Probabilities(logits, options, prompt, generated, allowed), Probabilities(logits, options, prompt, generated, allowed),
                $"trial {trial}, {options}");
        }
    }

    [Theory]
    [InlineData(0f, 0)]
    [InlineData(1f, 0)]
    [InlineData(1f, 3)]
    public void Sample_Constraint_ChoosesAmongItsTokens(float temperature, int topK)
    {
        const int vocabulary = 130;
        var logits = Logits(new Random(9), vocabulary, levels: 1000);
        var options = Plain with { Temperature = temperature, TopK = topK };
        bool Allowed(int id) => id % 17 == 5;
        using var sampler = new Sampler(options, vocabulary, new BitConstraint(vocabulary, Allowed));
        var counts = new int[vocabulary];
        for (int i = 0; i < 10_000; i++)
        {
            counts[sampler.Sample([.. logits])]++;
        }
        ChiSquare.Matches(NaiveSampler.Probabilities(logits, options, allowed: Allowed), counts);
    }

    [Fact]
    public void AcceptGenerated_TakesTheConstraintOn_AndAPromptDoesNot()
    {
        var constraint = new BitConstraint(4, _ => true, length: 2);
        using var sampler = new Sampler(Plain, 4, constraint);
        sampler.Accept(1);
        sampler.Accept(2);
        sampler.AcceptGenerated(3);
        Assert.False(sampler.IsComplete);
        sampler.AcceptGenerated(0);
        Assert.True(sampler.IsComplete);
        Assert.Equal([3, 0], constraint.Accepted);
        using var free = new Sampler(Plain, 4);
        Assert.False(free.IsComplete);
    }

    [Fact]
    public void Sample_BiasOfMinusInfinity_IsNeverDrawn()
    {
        float[] logits = [1, 9, 1, 1];
        foreach (var options in new[] { GenerationOptions.Greedy, Plain with { Temperature = 5 }, Plain with { TopK = 1 }, Plain with { TypicalP = 0.5f } })
        {
            using var sampler = new Sampler(options with { LogitBias = new Dictionary<int, float> { [1] = float.NegativeInfinity } }, 4);
            Assert.All(Enumerable.Range(0, 2000), _ => Assert.NotEqual(1, sampler.Sample([.. logits])));
        }
    }

    [Fact]
    public void IsMemoryless_OnlyWhereTheOperatorCanChoose()
    {
        bool Memoryless(GenerationOptions options, ITokenConstraint? constraint = null)
        {
            using var sampler = new Sampler(options, 8, constraint);
            return sampler.IsMemoryless;
        }
        Assert.True(Memoryless(GenerationOptions.Greedy));
        Assert.True(Memoryless(GenerationOptions.Greedy with { TypicalP = 0.5f }));
        Assert.True(Memoryless(Plain with { TopK = 3, TopP = 0.9f, MinP = 0.1f, StopTokens = [1], StopStrings = ["a"] }));
        Assert.False(Memoryless(Plain with { TypicalP = 0.5f }));
        Assert.False(Memoryless(Plain with { RepetitionPenalty = 1.1f }));
        Assert.False(Memoryless(Plain with { PresencePenalty = 0.1f }));
        Assert.False(Memoryless(GenerationOptions.Greedy with { FrequencyPenalty = -0.1f }));
        Assert.False(Memoryless(GenerationOptions.Greedy with { LogitBias = new Dictionary<int, float> { [1] = 1 } }));
        Assert.False(Memoryless(GenerationOptions.Greedy with { Logprobs = 0 }));
        Assert.False(Memoryless(GenerationOptions.Greedy, new BitConstraint(8, _ => true)));
    }

    [Fact]
    public void Sample_DrawsFromTheLastBlockOfALargeVocabulary()
    {
        var logits = new float[2500];
        Array.Fill(logits, float.NegativeInfinity);
        (logits[3], logits[1500], logits[2499]) = (0, MathF.Log(2), MathF.Log(3));
        using var sampler = new Sampler(Plain, logits.Length);
        var counts = new int[3];
        for (int i = 0; i < 6000; i++)
        {
            counts[sampler.Sample([.. logits]) switch { 3 => 0, 1500 => 1, 2499 => 2, var other => throw new InvalidOperationException($"drew {other}") }]++;
        }
        ChiSquare.Matches([1 / 6.0, 2 / 6.0, 3 / 6.0], counts);
    }

    [Fact]
    public void Draw_BehindWhatRoundingLeft_TakesTheLastTokenWithWeight()
    {
        int found = 0;
        for (int large = 1; large < 900; large++)
        {
            // Where a small one meets a 1 in a float32 sum it adds 2^-23: the sum is more than the tokens weigh.
            var weights = new float[3000];
            weights.AsSpan(0, large).Fill(1);
            weights.AsSpan(large, 964 - large).Fill(0.75f / (1 << 23));
            if (Sampler.Total(weights) > weights.Sum(w => (double)w))
            {
                Assert.Equal(963, Sampler.Draw(weights, 1 - 1e-16));
                found++;
            }
        }
        Assert.True(found > 0);
    }

    [Theory]
    [InlineData(new float[] { 1, 5, 5, 2 }, 1)]
    [InlineData(new float[] { -1, -0f, 0f, -2 }, 1)]
    [InlineData(new float[] { float.NegativeInfinity, -3, float.NegativeInfinity }, 1)]
    public void Sample_Greedy_TakesTheLowestOfTheLargest(float[] logits, int expected)
    {
        using var sampler = new Sampler(GenerationOptions.Greedy, logits.Length);
        Assert.Equal(expected, sampler.Sample([.. logits]));
    }

    [Fact]
    public void Sample_Greedy_FindsTheLowestOfEqualLogitsAtEveryPlace()
    {
        using var sampler = new Sampler(GenerationOptions.Greedy, 67);
        for (int first = 0; first < 66; first++)
        {
            var logits = new float[67];
            (logits[first], logits[66]) = (1, 1);
            Assert.Equal(first, sampler.Sample(logits));
        }
    }

    [Fact]
    public void Sample_Greedy_AppliesThePenalty()
    {
        using var sampler = new Sampler(GenerationOptions.Greedy with { RepetitionPenalty = 2 }, 3);
        sampler.Accept(0);
        sampler.Accept(0); // once counts as much as twice
        Assert.Equal(1, sampler.Sample([5, 3, 2]));
        Assert.Equal(0, sampler.Sample([5, 2, 2]));
        Assert.Equal(1, sampler.Sample([-1, -1.5f, -9]));
        sampler.AcceptGenerated(1);
        Assert.Equal(0, sampler.Sample([-1, -1.5f, -9]));
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public void Sample_UnusableLogit_Throws(float bad, string told)
    {
        foreach (var options in new[] { GenerationOptions.Greedy, Plain, Plain with { TopK = 2 } })
        {
            using var sampler = new Sampler(options, 4);
            var error = Assert.Throws<InvalidOperationException>(() => sampler.Sample([1, 2, bad, 0]));
            Assert.Contains("token 2", error.Message);
            Assert.Contains(told, error.Message);
        }
    }

    [Fact]
    public void Sample_NoTokenPossible_NamesTheCause()
    {
        const float none = float.NegativeInfinity;
        string Told(GenerationOptions options, float[] logits, ITokenConstraint? constraint = null, bool requests = false)
        {
            using var sampler = new Sampler(options, 2, constraint);
            var failure = Assert.ThrowsAny<InvalidOperationException>(() => sampler.Sample(logits));
            Assert.Equal(requests, failure is NoTokenLeftException);
            return failure.Message;
        }
        var forbidding = Plain with { LogitBias = new Dictionary<int, float> { [0] = none, [1] = none } };
        foreach (float temperature in new[] { 0f, 1f })
        {
            Assert.Contains("damaged", Told(Plain with { Temperature = temperature }, [none, none]));
            Assert.Contains("LogitBias", Told(forbidding with { Temperature = temperature }, [1, 2], requests: true));
            Assert.Contains("Grammar", Told(Plain with { Temperature = temperature }, [1, 2], new BitConstraint(2, _ => false), requests: true));
            string damaged = Told(forbidding with { Temperature = temperature, LogitBias = new Dictionary<int, float> { [0] = 1 } }, [1, float.NaN], new BitConstraint(2, _ => true));
            Assert.Contains("The logit of token 1 is NaN", damaged);
            Assert.EndsWith("the model or its package is damaged.", damaged);
        }
    }

    [Fact]
    public void Sample_ExtremeLogitsAndTemperatures_StayFinite()
    {
        float[] logits = [3e38f, -3e38f, 2.9e38f];
        foreach (float temperature in new[] { 1e-30f, 1f, 1e30f })
        {
            using var sampler = new Sampler(Plain with { Temperature = temperature }, 3);
            Assert.InRange(sampler.Sample([.. logits]), 0, 2);
        }
        using var cold = new Sampler(Plain with { Temperature = 1e-6f }, 3);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(1, cold.Sample([1, 1.001f, 0])));
    }

    [Fact]
    public void Seed_RepeatsTheDraws()
    {
        float[] logits = Logits(new Random(5), 100, levels: 1000);
        int[] Draws(ulong? seed, out ulong used)
        {
            using var sampler = new Sampler(Plain with { Seed = seed }, logits.Length);
            used = sampler.Seed;
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Sample([.. logits]))];
        }
        Assert.Equal(Draws(1, out _), Draws(1, out _));
        Assert.NotEqual(Draws(1, out _), Draws(2, out _));
        int[] free = Draws(null, out ulong chosen);
        Assert.Equal(free, Draws(chosen, out _));
        Draws(null, out ulong other);
        Assert.NotEqual(chosen, other);
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void Sample_AllocatesNothing(string name, GenerationOptions options)
    {
        var logits = Logits(new Random(6), 5000, levels: 100_000);
        using var sampler = new Sampler(options, logits.Length);
        var copy = new float[logits.Length];
        void Draw()
        {
            logits.CopyTo(copy, 0);
            sampler.AcceptGenerated(sampler.Sample(copy));
        }
        // What runs beside may move the count now and then; a step that allocates moves it every time.
        long bytes = long.MaxValue;
        for (int attempt = 0; attempt < 10 && bytes > 0; attempt++)
        {
            Draw();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20; i++)
            {
                Draw();
            }
            bytes = Math.Min(bytes, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.True(bytes == 0, $"{name}: {bytes} bytes in 20 steps");
    }

    private static float[] Logits(Random random, int count, int levels) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.Next(levels) * 8.0 / levels - 4))];

    private static int[] Tokens(Random random, int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];

    // What the sampler draws by, after it has changed the logits.
    private static double[] Probabilities(float[] logits, GenerationOptions options, int[] prompt, int[] generated, Func<int, bool>? allowed = null)
    {
        using var sampler = new Sampler(options, logits.Length, allowed is null ? null : new BitConstraint(logits.Length, allowed));
        Array.ForEach(prompt, sampler.Accept);
        Array.ForEach(generated, sampler.AcceptGenerated);
        float[] changed = [.. logits];
        int token = sampler.Sample(changed);
        double[] weights = options.Temperature == 0 ? [.. logits.Select((_, id) => id == token ? 1.0 : 0)]
            : [.. sampler.Weights(changed, changed.Max()).ToArray().Select(w => (double)w)];
        double total = weights.Sum();
        return [.. weights.Select(w => w / total)];
    }

    private static void Match(double[] expected, double[] actual, string what)
    {
        for (int id = 0; id < expected.Length; id++)
        {
            Assert.True(Math.Abs(expected[id] - actual[id]) < 1e-5 && (expected[id] > 0) == (actual[id] > 0),
                $"{what}, token {id} of {expected.Length}: probability {actual[id]}, expected {expected[id]}");
        }
    }
}
