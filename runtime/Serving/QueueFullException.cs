namespace LatentMoE.Runtime;

/// <summary>As many requests wait as may; the same request can be let in later.</summary>
public sealed class QueueFullException(int waiting, TimeSpan retryAfter)
    : InvalidOperationException($"{waiting} requests are waiting already, as many as may; try again in {Math.Ceiling(retryAfter.TotalSeconds)} s.")
{
    /// <summary>When there may be room, judged by how fast requests have been served.</summary>
    public TimeSpan RetryAfter => retryAfter;
}
