using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>How the answers of one request are written.</summary>
/// <param name="experts">Whether they carry token ids, experts and times, which OpenAI's do not.</param>
internal abstract class AnswerFormat(ServedModel served, bool experts, string idPrefix)
{
    // As OpenAI writes a log-probability of minus infinity, which JSON does not have.
    private const float Impossible = -9999;

    protected ServedModel Served => served;

    protected TokenTexts Tokens { get; } = new(served.Model);

    protected string Id { get; } = $"{idPrefix}-{Guid.NewGuid():N}";

    protected long Created { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>The event before an answer's first piece; null where there is none.</summary>
    public abstract object? First(int choice);

    /// <summary>An event of a stream.</summary>
    public abstract object Event(AnswerPart part);

    /// <summary>The event that counts tokens.</summary>
    public abstract object UsageEvent(Usage usage);

    /// <summary>All answers in one.</summary>
    public abstract object Whole(IReadOnlyList<AnswerPart> answers, Usage usage);

    /// <summary>Whether a piece has something to say.</summary>
    public bool IsWorthAnEvent(GeneratedPiece piece) => experts || piece.Text.Length > 0 || piece.Logprobs is not null || piece.FinishReason is not null;

    protected IReadOnlyList<int>? TokenIds(AnswerPart part) => experts ? part.TokenIds : null;

    protected IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>>? Experts(AnswerPart part) => experts ? part.Experts : null;

    protected Timings? TimingsOf(params IReadOnlyList<AnswerPart> parts) =>
        experts && parts.All(part => part.Statistics is not null) ? Timings.Of([.. parts.Select(part => part.Statistics!)]) : null;

    protected static float Finite(float logprob) => float.IsFinite(logprob) ? logprob : Impossible;
}
