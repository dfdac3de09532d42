using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class LogitAdjustmentTests
{
    [Fact]
    public void Apply_EqualsTheFormulasInFloat64()
    {
        var random = new Random(1);
        for (int trial = 0; trial < 300; trial++)
        {
            int vocabulary = random.Next(1, 60);
            var options = new GenerationOptions
            {
                RepetitionPenalty = trial % 3 == 0 ? 1 : 0.5f + random.NextSingle(),
                PresencePenalty = trial % 4 == 0 ? 0 : 4 * random.NextSingle() - 2,
                FrequencyPenalty = trial % 5 == 0 ? 0 : 4 * random.NextSingle() - 2,
                LogitBias = Enumerable.Range(0, random.Next(vocabulary)).ToDictionary(id => id, _ => 200 * random.NextSingle() - 100),
            };
            float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => 20 * random.NextSingle() - 10)], changed = [.. logits];
            using var adjustment = new LogitAdjustment(options, vocabulary);
            var (prompt, generated) = (new List<int>(), new List<int>());
            for (int i = 0; i < 40; i++)
            {
                int token = random.Next(vocabulary);
                bool answer = random.Next(2) == 0;
                (answer ? generated : prompt).Add(token);
                (answer ? (Action<int>)adjustment.AcceptGenerated : adjustment.Accept)(token);
            }
            adjustment.Apply(changed);
            for (int id = 0; id < vocabulary; id++)
            {
                double expected = NaiveSampler.Adjusted(logits[id], id, options, [.. prompt], [.. generated]);
                Assert.True(Math.Abs(changed[id] - expected) < 1e-5 * (1 + Math.Abs(expected)), $"trial {trial}, token {id}: {changed[id]}, expected {expected}");
            }
        }
    }

    [Fact]
    public void Apply_PresenceAndFrequency_CountTheAnswerAlone()
    {
        using var adjustment = new LogitAdjustment(new() { PresencePenalty = 1, FrequencyPenalty = 0.25f }, 4);
        adjustment.Accept(0);
        adjustment.Accept(1);
        adjustment.AcceptGenerated(1);
        Array.ForEach([2, 2, 2], adjustment.AcceptGenerated);
        float[] logits = [8, 8, 8, 8];
        adjustment.Apply(logits);
        Assert.Equal([8, 6.75f, 6.25f, 8], logits);
    }

    [Fact]
    public void Apply_NothingAsked_LeavesTheLogits()
    {
        using var adjustment = new LogitAdjustment(new(), 2);
        Assert.True(adjustment.IsNone);
        adjustment.AcceptGenerated(1);
        float[] logits = [float.NegativeInfinity, 3];
        adjustment.Apply(logits);
        Assert.Equal([float.NegativeInfinity, 3], logits);
    }
}
