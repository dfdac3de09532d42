using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Answers;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>A request for answers, checked and tokenised.</summary>
internal sealed record GenerationRequest
{
    public required IReadOnlyList<int[]> Prompts { get; init; }

    public required GenerationOptions Options { get; init; }

    /// <summary>Answers of each prompt.</summary>
    public required int Choices { get; init; }

    public required bool Stream { get; init; }

    /// <summary>Whether the stream ends with an event that counts tokens.</summary>
    public required bool IncludeUsage { get; init; }

    public required AnswerFormat Format { get; init; }
}
