namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>What all requests of an engine have in common: the model's limits and ends, and how a grammar begins.</summary>
internal sealed record RequestRules(int Vocabulary, int ContextLength, IReadOnlySet<int> EndTokens, Func<GenerationOptions, ITokenConstraint?> Constraint);
