using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Protocol;

/// <summary>Tokens of a request: a prompt counts once, however many answers it has.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails);

/// <param name="CachedTokens">Prompt tokens that did not have to be computed.</param>
internal sealed record PromptTokensDetails(int CachedTokens);

/// <summary>How long answers took; of several, the times of the slowest and the tokens of all.</summary>
internal sealed record Timings(double PromptMs, double PredictedMs, double PredictedPerSecond, int CachedTokens, int DraftAccepted)
{
    public static Timings Of(IReadOnlyList<GenerationStatistics> answers)
    {
        var decode = answers.Max(a => a.DecodeTime);
        int tokens = answers.Sum(a => a.GeneratedTokens - 1);
        return new Timings(
            answers.Max(a => a.PrefillTime).TotalMilliseconds,
            decode.TotalMilliseconds,
            decode > TimeSpan.Zero ? tokens / decode.TotalSeconds : 0,
            answers.Sum(a => a.CachedTokens),
            answers.Sum(a => a.AcceptedDraftTokens));
    }
}
