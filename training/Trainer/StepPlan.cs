namespace LatentMoE.Training.Trainer;

/// <summary>
/// Turns minutes into steps: the run's first steps are timed, and then the number of steps is fixed for good. It happens during
/// warm-up, where the learning rate does not depend on that number yet, so nothing but the run's length follows from the clock.
/// </summary>
public sealed class StepPlan(TrainingRecipe recipe)
{
    // The very first steps allocate and compile; evaluations and saves take their share of the minutes.
    private const int Untimed = 2, Timed = 10;
    private const double ShareOfSteps = 0.95;

    private readonly double _seconds = (recipe.Minutes ?? throw new ArgumentException("the recipe gives no minutes", nameof(recipe))) * 60;
    private readonly List<double> _durations = [];

    /// <summary>Warm-up steps that a plan needs.</summary>
    public const int MinWarmupSteps = Untimed + Timed;

    /// <summary>Takes note of a step; the number of steps of the run once it follows, else null.</summary>
    /// <param name="step">Steps taken, this one included.</param>
    /// <param name="seconds">Duration of this one.</param>
    public int? After(int step, double seconds)
    {
        _durations.Add(seconds);
        if (step < MinWarmupSteps || _durations.Count <= Untimed)
        {
            return null;
        }
        double spent = _durations.Sum(), each = _durations.Skip(Untimed).Average();
        return step + (int)Math.Max(0, (_seconds - spent) * ShareOfSteps / each);
    }
}
