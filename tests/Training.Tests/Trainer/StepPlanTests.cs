using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

public class StepPlanTests
{
    [Fact]
    public void After_MakesStepsOfMinutesOnce()
    {
        var plan = new StepPlan(new TrainingRecipe { Minutes = 2 });
        var answers = Enumerable.Range(1, StepPlan.MinWarmupSteps).Select(step => plan.After(step, step <= 2 ? 10.0 : 0.5)).ToList();
        Assert.All(answers[..^1], Assert.Null);
        // 25 s are gone; the other 95 s, less 5% for evaluations and saves, hold 180 steps of half a second.
        Assert.Equal(12 + 180, answers[^1]);
    }

    [Fact]
    public void After_NeverEndsBeforeTheStepsTaken()
    {
        var plan = new StepPlan(new TrainingRecipe { Minutes = 0.1 });
        int? last = null;
        for (int step = 1; step <= StepPlan.MinWarmupSteps; step++)
        {
            last = plan.After(step, 3.0);
        }
        Assert.Equal(StepPlan.MinWarmupSteps, last);
    }

    [Fact]
    public void Validated_MinutesNeedWarmUp() =>
        Assert.Contains("warmup_steps", Assert.Throws<CheckpointException>(() => new TrainingRecipe { Minutes = 1, WarmupSteps = 3 }.Validated("x", 512)).Message);
}
