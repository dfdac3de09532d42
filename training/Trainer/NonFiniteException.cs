namespace LatentMoE.Training.Trainer;

/// <summary>Training met a NaN or an infinity; the message names the step and the first part of the model that shows it.</summary>
public sealed class NonFiniteException(string message) : Exception(message);
