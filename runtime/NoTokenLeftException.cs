namespace LatentMoE.Runtime;

/// <summary>An answer broke off because its own grammar, biases or penalties left no token to go on with.</summary>
public sealed class NoTokenLeftException(string message) : InvalidOperationException(message);
