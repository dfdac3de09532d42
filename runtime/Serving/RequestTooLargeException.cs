namespace LatentMoE.Runtime;

/// <summary>A request that the cache can never hold, even alone.</summary>
public sealed class RequestTooLargeException(long bytes, long limit)
    : ArgumentException($"Prompt and answer may take {bytes} bytes of cache, and {nameof(EngineOptions)}.{nameof(EngineOptions.CacheBytes)} is {limit}: ask for fewer tokens.");
