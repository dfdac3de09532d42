namespace LatentMoE.Training.Trainer;

/// <summary>Where a run stands after a step.</summary>
/// <param name="Result">The step.</param>
/// <param name="Steps">Steps of the run; 0 while that is open.</param>
/// <param name="TokensPerSecond">Over the last steps.</param>
/// <param name="FlopsFraction">Share of the device's measured matrix-product rate.</param>
/// <param name="Left">Time to the last step at this speed; null while the number of steps is open.</param>
/// <param name="ValidationLoss">The latest evaluation, in nats per token.</param>
public sealed record TrainingProgress(StepResult Result, int Steps, double TokensPerSecond, double FlopsFraction, TimeSpan? Left, double? ValidationLoss);
