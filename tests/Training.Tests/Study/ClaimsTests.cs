using LatentMoE.Training.Study;

namespace LatentMoE.Training.Tests.Study;

public class ClaimsTests
{
    private static readonly StudyScale Scale = StudyScale.Load("cpu");

    [Theory]
    [InlineData(7.5, 0.5, false, true, Ruling.Holds)]
    [InlineData(7.5, 0.5, false, false, Ruling.HoldsHere)]
    [InlineData(7.5, 1.5, false, true, Ruling.NotResolved)]
    [InlineData(5.0, 1.0, false, true, Ruling.DoesNotHold)]
    [InlineData(-3.0, 1.0, true, true, Ruling.Holds)]
    [InlineData(8.5, 1.0, true, true, Ruling.DoesNotHold)]
    [InlineData(7.0, 1.0, true, true, Ruling.NotResolved)]
    public void Rule_ComparesTheIntervalWithTheClaim(double mean, double half, bool atMost, bool own, Ruling expected) =>
        Assert.Equal(expected, Verdict.Rule(new(mean, half, 3), 6.9, atMost, own));

    [Fact]
    public void Rule_OneSeedResolvesNothing() => Assert.Equal(Ruling.NotResolved, Verdict.Rule(new(50, null, 1), 6.9, atMost: false, ownConditions: true));

    [Fact]
    public void LossLower_IsPairedBySeed()
    {
        // Seeds differ far more than twins do; pairs agree exactly.
        var claims = new Claims(Scale, [.. Seeds(StudyPlan.MhaDense, 1.0), .. Seeds(StudyPlan.MlaMoE, 0.9)], null);
        var lower = claims.LossLower("study", StudyPlan.MlaMoE, StudyPlan.MhaDense)!;
        Assert.Equal(10, lower.Mean, 9);
        Assert.Equal(0, lower.HalfWidth!.Value, 9);
        Assert.Null(claims.LossLower("study", StudyPlan.MlaMoEFlop, StudyPlan.MhaDense));
    }

    [Fact]
    public void Verdicts_FollowTheRows()
    {
        StudyRow[] rows =
        [
            .. Seeds(StudyPlan.MhaDense, 1.0), .. Seeds(StudyPlan.MlaDense, 1.001), .. Seeds(StudyPlan.MhaMoE, 0.9), .. Seeds(StudyPlan.MlaMoE, 0.92),
            .. Seeds(StudyPlan.MhaMoEFlop, 0.95), .. Seeds(StudyPlan.MlaMoEFlop, 0.95),
        ];
        var verdicts = new Claims(Scale, rows, Grid(4.0, 2.0)).Verdicts().ToList();
        Assert.Equal(Ruling.Holds, Ruled("saves cache").Ruling); // 313 for 1,000 bytes
        Assert.Equal(Ruling.HoldsHere, Ruled("perplexity: mla-dense").Ruling); // 0.2 to 0.4%
        Assert.Equal(Ruling.DoesNotHold, Ruled("perplexity: mla-moe against").Ruling);
        Assert.Equal(Ruling.HoldsHere, Ruled("Parameter-matched").Ruling); // 8% of 6.9
        Assert.Equal(Ruling.Holds, Ruled("active parameters").Ruling); // half of them
        Assert.Equal(Ruling.DoesNotHold, Ruled("FLOP-matched").Ruling); // 5% of 11.1
        var speed = Ruled("Inference is faster than the vanilla transformer's: mla-dense");
        Assert.Equal(Ruling.HoldsHere, speed.Ruling);
        Assert.Contains("at batch and context 1 and 0; ", speed.Conditions);
        Assert.Equal("2.00x to 4.00x, most at batch 1 and context 0", speed.Measured);
        Assert.Equal(Ruling.NotTestable, Ruled("at the paper's own sizes").Ruling);

        Verdict Ruled(string claim) => verdicts.Single(v => v.Claim.Contains(claim, StringComparison.Ordinal));
    }

    [Fact]
    public void Verdicts_WithoutSpeedSaySo()
    {
        var verdict = new Claims(Scale, [], null).Verdicts().First(v => v.Claim.StartsWith("Inference", StringComparison.Ordinal));
        Assert.Equal(Ruling.NotTestable, verdict.Ruling);
    }

    internal static IEnumerable<StudyRow> Seeds(string group, double factor) => Enumerable.Range(1, 3).Select(seed => new StudyRow
    {
        Run = $"study-{group}-{seed}", Family = "study", Group = group, IsAblation = false, Seed = seed, Layers = 4, Width = 128,
        TotalParameters = 1000, ActiveParameters = group == StudyPlan.MlaMoE ? 500 : 1000, HeadParameters = 100, FlopsPerToken = 2000,
        CacheBytesPerToken = group.StartsWith("mla", StringComparison.Ordinal) ? 313 : 1000, Steps = 10, Tokens = 1000, Epochs = 0.5, Device = "cpu", TokensPerSecond = 100,
        Loss = factor * (1 + seed), Perplexity = Math.Exp(factor * (1 + seed)), BitsPerByte = 1, HeldOutTokens = 100,
    });

    private static SpeedGrid Grid(double first, double second) => new("a machine", "f32", 2,
    [
        Point(StudyPlan.MhaDense, 0, 100), Point(StudyPlan.MhaDense, 512, 100), Point(StudyPlan.MlaDense, 0, 100 * first), Point(StudyPlan.MlaDense, 512, 100 * second),
    ]);

    private static SpeedRow Point(string model, int context, double speed) => new("trained", model, 1, context, speed, speed, speed, 5, 64, 1, 1, 1);
}
