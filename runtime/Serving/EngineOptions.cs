namespace LatentMoE.Runtime;

/// <summary>How an <see cref="InferenceEngine"/> shares a model among requests.</summary>
public sealed record EngineOptions
{
    /// <summary>Requests that run at the same time, each in a row of the batch; further ones wait in the queue.</summary>
    public int MaxRows { get; init; } = 16;

    /// <summary>
    /// Memory of the cache, in bytes: a request is let in once its prompt and its longest answer fit beside those that run. Null takes a
    /// quarter of the host's memory, and never more than all rows can use. CUDA takes it at once, as whole rows: set it to what the device can give.
    /// </summary>
    public long? CacheBytes { get; init; }

    /// <summary>Requests that there may be beyond the rows; one more is refused with <see cref="QueueFullException"/>.</summary>
    public int MaxQueue { get; init; } = 256;

    /// <summary>Prompt tokens that are read between two steps of the running answers.</summary>
    public int PrefillTokensPerStep { get; init; } = 256;

    /// <summary>Host memory, in bytes, that keeps the caches of earlier prompts and answers for requests that begin alike; 0 keeps none, nor does CUDA.</summary>
    public long PrefixCacheBytes { get; init; } = 256L << 20;

    /// <summary>Tokens guessed at a step from what the text already holds (prompt look-up, arXiv 2304.04487), while few requests run, on the CPU; 0 guesses none.</summary>
    public int DraftTokens { get; init; }

    /// <summary>Whether pieces name the experts that chose them.</summary>
    public bool TrackExperts { get; init; }

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Validate()
    {
        Require(MaxRows is > 0 and <= 1024, nameof(MaxRows), MaxRows, "1 to 1024");
        Require(CacheBytes is null or > 0, nameof(CacheBytes), CacheBytes, "null or at least 1");
        Require(MaxQueue >= 0, nameof(MaxQueue), MaxQueue, "at least 0");
        Require(PrefillTokensPerStep > 0, nameof(PrefillTokensPerStep), PrefillTokensPerStep, "at least 1");
        Require(PrefixCacheBytes >= 0, nameof(PrefixCacheBytes), PrefixCacheBytes, "0 (off) or more");
        Require(DraftTokens is >= 0 and <= 16, nameof(DraftTokens), DraftTokens, "0 (off) to 16");
    }

    private static void Require(bool ok, string name, object? value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"{name} is {value}; expected {range}.");
        }
    }
}
