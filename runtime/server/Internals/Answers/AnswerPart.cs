using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>Pieces of one answer in their order: one while streaming, all of them otherwise.</summary>
internal sealed record AnswerPart(int Choice, IReadOnlyList<GeneratedPiece> Pieces)
{
    public string Text => string.Concat(Pieces.Select(piece => piece.Text));

    public IReadOnlyList<int> TokenIds => [.. Pieces.Select(piece => piece.TokenId)];

    /// <summary>[token][layer][k]; null where they were not followed.</summary>
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>>? Experts =>
        Pieces.All(piece => piece.Experts is not null) ? [.. Pieces.Select(piece => piece.Experts!.Layers)] : null;

    /// <summary>OpenAI's word for how the answer ended; null while it goes on.</summary>
    public string? FinishReason => Pieces[^1].FinishReason switch
    {
        null => null,
        Runtime.FinishReason.MaxNewTokens or Runtime.FinishReason.ContextLength => "length",
        _ => "stop",
    };

    /// <summary>Null while the answer goes on.</summary>
    public GenerationStatistics? Statistics => Pieces[^1].Statistics;
}
