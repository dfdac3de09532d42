using LatentMoE.Checkpoints;
using LatentMoE.Training.Study;

namespace LatentMoE.Training.Tests.Study;

public class StudyPlanTests
{
    private static readonly StudyPlan Cpu = StudyPlan.Of(StudyScale.Load("cpu"));

    [Fact]
    public void Of_HasEveryTwinOfEverySeedAndEveryAblation()
    {
        foreach (string twin in StudyPlan.Twins)
        {
            Assert.Equal([1, 2, 3], Cpu.Runs.Where(r => r.Group == twin).Select(r => r.Seed));
        }
        Assert.Equal(
            ["rank-1", "rank-0.25", "rank-0.125", "experts-8", "experts-16", "experts-128", "no-shared", "no-balancing"],
            Cpu.Runs.Where(r => r.IsAblation).Select(r => r.Group));
        Assert.Equal(Cpu.Runs.Count, Cpu.Runs.Select(r => r.Name).Distinct().Count());
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("paper")]
    public void Of_TwinsShareRecipeAndSeedDecidesTheOrderOfTheText(string scale)
    {
        foreach (var seed in StudyPlan.Of(StudyScale.Load(scale)).Runs.Where(r => !r.IsAblation).GroupBy(r => (r.Family, r.Seed)))
        {
            Assert.Single(seed.Select(r => r.Preset.Recipe with { Batch = 1, Accumulation = 1 }).Distinct());
            Assert.Single(seed.Select(r => r.Preset.Recipe.TokensPerStep).Distinct());
            Assert.All(seed, r => Assert.Equal(r.Seed, r.Preset.Recipe.Seed));
        }
    }

    [Fact]
    public void Of_FamiliesAreMatchedAsTheirNamesSay()
    {
        ModelSize Size(string group) => ModelSize.Of(Cpu.Runs.First(r => r.Group == group).Preset.Model);
        // But for the router, which the dense part has not.
        Assert.InRange((double)Size(StudyPlan.MhaMoE).TotalParameters / Size(StudyPlan.MhaDense).TotalParameters, 1, 1.03);
        Assert.InRange((double)Size(StudyPlan.MhaMoEFlop).FlopsPerToken / Size(StudyPlan.MhaDense).FlopsPerToken, 1, 1.03);
        Assert.InRange((double)Size(StudyPlan.MlaDense).TotalParameters / Size(StudyPlan.MhaDense).TotalParameters, 0.97, 1.03);
    }

    [Fact]
    public void Of_ExpertAblationsKeepTotalsAndOneEighthActive()
    {
        var baseline = Cpu.Runs.First(r => r.Group == StudyPlan.MlaMoEFlop).Preset.Model;
        foreach (var run in Cpu.Runs.Where(r => r.Group.StartsWith("experts-", StringComparison.Ordinal) || r.Group == StudyPlan.NoShared))
        {
            var model = run.Preset.Model;
            Assert.Equal(8 * (model.NSharedExperts + model.NumExpertsPerTok), model.NRoutedExperts + model.NSharedExperts);
            Assert.Equal((baseline.NRoutedExperts + baseline.NSharedExperts) * baseline.MoeIntermediateSize, (model.NRoutedExperts + model.NSharedExperts) * model.MoeIntermediateSize);
        }
    }

    [Fact]
    public void Of_AblationsChangeOneThing()
    {
        var baseline = Cpu.Runs.First(r => r.Group == StudyPlan.MlaMoEFlop).Preset;
        foreach (double ratio in StudyPlan.RankRatios.Where(r => r != 0.5))
        {
            var run = Cpu.Runs.Single(r => r.Group == StudyPlan.RankGroup(ratio));
            Assert.Equal(baseline.Model with { KvLoraRank = (int)(128 * ratio) }, run.Preset.Model);
            Assert.Equal(baseline.Recipe, run.Preset.Recipe);
        }
        var unbalanced = Cpu.Runs.Single(r => r.Group == StudyPlan.NoBalancing).Preset;
        Assert.Equal(baseline.Model, unbalanced.Model);
        Assert.Equal(baseline.Recipe with { BiasUpdateRate = 0 }, unbalanced.Recipe);
    }

    [Fact]
    public void Of_PresetsThatAreNoPairAreRefused()
    {
        var scale = StudyScale.Load("cpu") with { Families = [new("study", "study", "tiny")] };
        var error = Assert.Throws<CheckpointException>(() => StudyPlan.Of(scale));
        Assert.Contains("differ in more than moe_intermediate_size", error.Message);
    }
}
