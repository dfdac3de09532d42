namespace LatentMoE.Server.Internals.Protocol;

/// <summary>The answer of <c>/tokenize</c>.</summary>
internal sealed record TokenList(IReadOnlyList<int> Tokens);

/// <summary>The answer of <c>/tokenize</c> with pieces.</summary>
internal sealed record PieceList(IReadOnlyList<TokenPiece> Tokens);

/// <param name="Piece">Its text, or its bytes as a list of numbers where they are no whole characters.</param>
internal sealed record TokenPiece(int Id, object Piece);

/// <summary>The answer of <c>/detokenize</c>.</summary>
internal sealed record DecodedText(string Content);

/// <summary>The answer of <c>/health</c> and <c>/ready</c>.</summary>
internal sealed record ServerHealth(string Status);
