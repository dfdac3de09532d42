namespace LatentMoE.Runtime;

/// <summary>What an engine is doing at one moment, and what it has done since it started.</summary>
public sealed record EngineStatus
{
    /// <summary>Requests in the batch, reading their prompt or writing.</summary>
    public int Running { get; init; }

    /// <summary>Requests that wait for a row or for memory.</summary>
    public int Waiting { get; init; }

    /// <summary>Rows of the batch.</summary>
    public int Rows { get; init; }

    /// <summary>Bytes of cache that the running requests may come to use.</summary>
    public long CacheBytesReserved { get; init; }

    /// <summary>Bytes of cache that requests can reserve in all.</summary>
    public long CacheBytesLimit { get; init; }

    /// <summary>Bytes that the prefix cache holds.</summary>
    public long PrefixCacheBytes { get; init; }

    /// <summary>Prompt tokens that requests came with.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Prompt tokens among them that the prefix cache had.</summary>
    public long CachedPromptTokens { get; init; }

    /// <summary>Tokens written.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Tokens guessed, and those of them that were right.</summary>
    public long DraftTokens { get; init; }

    /// <inheritdoc cref="DraftTokens"/>
    public long AcceptedDraftTokens { get; init; }

    /// <summary>Runs of the model.</summary>
    public long Runs { get; init; }

    /// <summary>Time that the runs took.</summary>
    public TimeSpan RunTime { get; init; }

    /// <summary>Time in which there were requests in the batch: the runs', and what the engine did around them.</summary>
    public TimeSpan BusyTime { get; init; }

    /// <summary>Requests that ended, whole, cancelled or failed.</summary>
    public long Completed { get; init; }

    /// <summary>Whether nobody is let in any more.</summary>
    public bool Draining { get; init; }
}
