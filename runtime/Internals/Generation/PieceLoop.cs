using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Internals.Generation;

/// <summary>The decode loop with text: one piece a token, until the token loop ends or a stop string is complete.</summary>
internal sealed class PieceLoop(TokenLoop loop, TextStream text)
{
    private readonly PieceWriter _writer = new(text);

    /// <summary>The next piece; the last one has a finish reason.</summary>
    public GeneratedPiece Next()
    {
        int token = loop.Next();
        var piece = _writer.Next(token, loop.Finish, loop.Logprobs);
        return piece.FinishReason is null ? piece : piece with { Statistics = loop.Statistics };
    }
}
