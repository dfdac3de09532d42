namespace LatentMoE.Runtime;

/// <summary>Where a model's memory goes, in bytes.</summary>
/// <param name="Weights">The package's tensors.</param>
/// <param name="CachePerToken">One token of one sequence, all layers.</param>
/// <param name="CachePerRow">A sequence of the whole context.</param>
/// <param name="MultiHeadCachePerToken">
/// One token with keys and values of every head, as a multi-head model of the same heads, width and element type keeps them; null where the
/// package does not say how many heads there are.
/// </param>
public sealed record MemoryReport(long Weights, long CachePerToken, long CachePerRow, long? MultiHeadCachePerToken);
