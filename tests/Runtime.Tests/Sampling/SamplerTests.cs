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
        { "everything", Plain with { Temperature = 0.8f, TopK = 9, TopP = 0.83f, MinP = 0.05f, RepetitionPenalty = 1.3f } },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Weights_AreHuggingFacesProcessorsInOrder(string name, GenerationOptions options)
    {
        var random = new Random(3);
        for (int trial = 0; trial < 60; trial++)
        {
            int vocabulary = random.Next(2, 400);
            var logits = Logits(random, vocabulary, levels: trial % 2 == 0 ? 12 : 100_000);
            int[] seen = [.. Enumerable.Range(0, 20).Select(_ => random.Next(vocabulary))];
            double[] expected = Expected(logits, options, seen);
            double[] actual = Actual(logits, options, seen);
            for (int id = 0; id < vocabulary; id++)
            {
                Assert.True(Math.Abs(expected[id] - actual[id]) < 1e-5 && (expected[id] > 0) == (actual[id] > 0),
                    $"{name}, trial {trial}, token {id} of {vocabulary}: probability {actual[id]}, expected {expected[id]}");
            }
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
        ChiSquare.Matches(Expected(logits, options, []), counts);
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
        sampler.Accept(1);
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
    public void Sample_NoTokenPossible_Throws()
    {
        using var sampler = new Sampler(Plain, 2);
        Assert.Throws<InvalidOperationException>(() => sampler.Sample([float.NegativeInfinity, float.NegativeInfinity]));
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
            sampler.Accept(sampler.Sample(copy));
        }
        Draw();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            Draw();
        }
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes == 0, $"{name}: {bytes} bytes in 20 steps");
    }

    private static float[] Logits(Random random, int count, int levels) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.Next(levels) * 8.0 / levels - 4))];

    private static double[] Actual(float[] logits, GenerationOptions options, int[] seen)
    {
        using var sampler = new Sampler(options, logits.Length);
        Array.ForEach(seen, sampler.Accept);
        float[] penalized = [.. logits];
        sampler.Sample(penalized);
        double[] weights = [.. sampler.Weights(penalized, penalized.Max()).ToArray().Select(w => (double)w)];
        double total = weights.Sum();
        return [.. weights.Select(w => w / total)];
    }

    // The formulas one after the other in float64 over a sorted list, equal logits in the order of their ids.
    private static double[] Expected(float[] logits, GenerationOptions options, int[] seen)
    {
        var order = logits.Select((x, id) => (Id: id, Score: (double)(float)Penalized(x, options, seen.Contains(id)))).OrderByDescending(t => t.Score).ThenBy(t => t.Id)
            .Select(t => (t.Id, Score: t.Score / options.Temperature)).ToList();
        if (options.TopK > 0)
        {
            order = order.Take(options.TopK).ToList();
        }
        double before = 0;
        var probabilities = Softmax(order);
        order = order.Where((_, rank) => (before += probabilities[rank]) - probabilities[rank] < options.TopP).ToList();
        probabilities = Softmax(order);
        order = order.Where((_, rank) => probabilities[rank] >= options.MinP * probabilities[0]).ToList();
        probabilities = Softmax(order);
        var result = new double[logits.Length];
        for (int rank = 0; rank < order.Count; rank++)
        {
            result[order[rank].Id] = probabilities[rank];
        }
        return result;
    }

    private static double Penalized(double logit, GenerationOptions options, bool seen) =>
        !seen ? logit : logit < 0 ? logit * options.RepetitionPenalty : logit / options.RepetitionPenalty;

    private static double[] Softmax(List<(int Id, double Score)> order)
    {
        double[] weights = [.. order.Select(t => Math.Exp(t.Score - order[0].Score))];
        double total = weights.Sum();
        return [.. weights.Select(w => w / total)];
    }
}
