namespace LatentMoE.Training.Trainer;

/// <summary>Linear warm-up to the peak, then half a cosine down to a share of it at the last step.</summary>
public static class LearningRateSchedule
{
    /// <param name="step">The step about to be taken, from 0.</param>
    /// <param name="steps">Steps of the whole run; irrelevant during warm-up; 0 while it is not known yet, which keeps the peak.</param>
    /// <param name="recipe">Peak, warm-up and floor.</param>
    public static double At(int step, int steps, TrainingRecipe recipe)
    {
        if (step < recipe.WarmupSteps)
        {
            return recipe.LearningRate * (step + 1) / recipe.WarmupSteps;
        }
        if (steps == 0)
        {
            return recipe.LearningRate;
        }
        double span = Math.Max(1, steps - 1 - recipe.WarmupSteps);
        double progress = Math.Min(1.0, (step - recipe.WarmupSteps) / span);
        double cosine = 0.5 * (1 + Math.Cos(Math.PI * progress));
        return recipe.LearningRate * (recipe.MinLearningRateRatio + (1 - recipe.MinLearningRateRatio) * cosine);
    }
}
