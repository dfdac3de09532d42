using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class LogprobReaderTests
{
    [Fact]
    public void Sample_Logprobs_AreTheModelsLogSoftmax()
    {
        var random = new Random(1);
        for (int trial = 0; trial < 200; trial++)
        {
            int vocabulary = random.Next(2, trial % 2 == 0 ? 20 : 3000), top = random.Next(21);
            // Levels make ties, between which the lower id comes first.
            int levels = trial % 3 == 0 ? 6 : 100_000;
            float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => (float)(random.Next(levels) * 30.0 / levels - 15))];
            var options = new GenerationOptions
            {
                Seed = 1, Logprobs = top, Temperature = trial % 4, TopK = 5, TypicalP = 0.9f, RepetitionPenalty = 2, FrequencyPenalty = 1,
                LogitBias = new Dictionary<int, float> { [vocabulary - 1] = 20 },
            };
            using var sampler = new Sampler(options, vocabulary, new BitConstraint(vocabulary, id => id % 2 == 1 || id == 0));
            sampler.AcceptGenerated(1);
            int token = sampler.Sample([.. logits], out var logprobs);
            double[] expected = NaiveSampler.LogSoftmax(logits);
            int[] ranked = [.. Enumerable.Range(0, vocabulary).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(top)];
            Assert.Equal(expected[token], logprobs!.Logprob, 1e-5);
            Assert.Equal(ranked, logprobs.Top.Select(t => t.TokenId));
            Assert.All(logprobs.Top, t => Assert.Equal(expected[t.TokenId], t.Logprob, 1e-5));
            double mass = logprobs.Top.Sum(t => Math.Exp(t.Logprob));
            Assert.True(top < vocabulary ? mass < 1.00001 : Math.Abs(mass - 1) < 1e-5, $"trial {trial}: {mass} in {top} of {vocabulary}");
        }
    }

    [Fact]
    public void Sample_Logprobs_BelongToTheirStep()
    {
        using var sampler = new Sampler(GenerationOptions.Greedy with { Logprobs = 1 }, 2);
        Assert.Equal(1, sampler.Sample([0, MathF.Log(3)], out var first));
        Assert.Equal(0, sampler.Sample([MathF.Log(4), 0], out var second));
        Assert.Equal((1, 0), (first!.Top[0].TokenId, second!.Top[0].TokenId));
        Assert.Equal(Math.Log(0.75), first.Top[0].Logprob, 1e-6);
        Assert.Equal(Math.Log(0.8), second.Top[0].Logprob, 1e-6);
    }

    [Fact]
    public void Sample_LogprobsNotAskedFor_AreNull()
    {
        using var without = new Sampler(GenerationOptions.Greedy, 2);
        without.Sample([1, 2], out var none);
        Assert.Null(none);
        using var own = new Sampler(GenerationOptions.Greedy with { Logprobs = 0 }, 2);
        own.Sample([1, 1], out var alone);
        Assert.Empty(alone!.Top);
        Assert.Equal(Math.Log(0.5), alone.Logprob, 1e-6);
    }

    [Fact]
    public void Sample_Logprobs_NameNoImpossibleToken()
    {
        using var sampler = new Sampler(GenerationOptions.Greedy with { Logprobs = 5 }, 4);
        sampler.Sample([float.NegativeInfinity, 2, float.NegativeInfinity, 1], out var logprobs);
        Assert.Equal([1, 3], logprobs!.Top.Select(t => t.TokenId));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Sample_Logprobs_OfADamagedRow_Throw(float bad)
    {
        // The grammar forbids the token, and yet no log-probability can be told.
        using var sampler = new Sampler(GenerationOptions.Greedy with { Logprobs = 0 }, 3, new BitConstraint(3, id => id != 2));
        Assert.Contains("damaged", Assert.Throws<InvalidOperationException>(() => sampler.Sample([1, 2, bad], out _)).Message);
    }
}
