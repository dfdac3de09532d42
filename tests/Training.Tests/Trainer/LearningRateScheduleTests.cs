using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Trainer;

public class LearningRateScheduleTests
{
    private static readonly TrainingRecipe Recipe = new() { LearningRate = 0.01, MinLearningRateRatio = 0.1, WarmupSteps = 10, Steps = 111 };

    [Theory]
    [InlineData(0, 0.001)]
    [InlineData(4, 0.005)]
    [InlineData(9, 0.01)]
    [InlineData(10, 0.01)]
    [InlineData(60, 0.0055)]
    [InlineData(110, 0.001)]
    public void At_WarmsUpThenFollowsTheCosine(int step, double expected) => Assert.Equal(expected, LearningRateSchedule.At(step, 111, Recipe), 12);

    [Fact]
    public void At_DuringWarmUpTheLengthDoesNotMatter() =>
        Assert.All(Enumerable.Range(0, 10), step => Assert.Equal(LearningRateSchedule.At(step, 50, Recipe), LearningRateSchedule.At(step, 0, Recipe)));

    [Fact]
    public void At_PastWarmUpWhileTheLengthIsUnknownIsThePeak() =>
        Assert.All([10, 11, 500], step => Assert.Equal(0.01, LearningRateSchedule.At(step, 0, Recipe)));
}
