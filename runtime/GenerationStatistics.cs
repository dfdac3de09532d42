namespace LatentMoE.Runtime;

/// <summary>Token counts and times of one generation.</summary>
/// <param name="PromptTokens">Tokens of the prompt, a prepended beginning-of-sequence token included.</param>
/// <param name="GeneratedTokens">Tokens that the model wrote, its end-of-sequence token included.</param>
/// <param name="PrefillTime">From the start to the first generated token.</param>
/// <param name="DecodeTime">From the first generated token to the last.</param>
/// <param name="Seed">The seed that the draws used: the given one, or the one that was chosen.</param>
public sealed record GenerationStatistics(int PromptTokens, int GeneratedTokens, TimeSpan PrefillTime, TimeSpan DecodeTime, ulong Seed)
{
    /// <summary>Prompt tokens that came from the prefix cache and were not computed again.</summary>
    public int CachedTokens { get; init; }

    /// <summary>From the request to its place in the batch; part of <see cref="PrefillTime"/>.</summary>
    public TimeSpan QueueTime { get; init; }

    /// <summary>Generated tokens that were guessed and confirmed rather than computed one by one.</summary>
    public int AcceptedDraftTokens { get; init; }

    /// <summary>Prompt tokens read in a second.</summary>
    public double PrefillTokensPerSecond => PerSecond(PromptTokens, PrefillTime);

    /// <summary>Tokens written in a second after the first; 0 when there was only one.</summary>
    public double DecodeTokensPerSecond => PerSecond(GeneratedTokens - 1, DecodeTime);

    private static double PerSecond(int tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
