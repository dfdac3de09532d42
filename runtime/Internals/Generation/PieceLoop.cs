using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Internals.Generation;

/// <summary>The decode loop with text: one piece a token, until the token loop ends or a stop string is complete.</summary>
internal sealed class PieceLoop(TokenLoop loop, TextStream text)
{
    /// <summary>The next piece; the last one has a finish reason.</summary>
    public GeneratedPiece Next()
    {
        int token = loop.Next();
        string certain = text.Append(token);
        FinishReason? finish = text.Stopped ? FinishReason.StopString : loop.Finish;
        if (finish is null)
        {
            return new GeneratedPiece(loop.Count - 1, token, certain);
        }
        certain += text.Flush();
        return new GeneratedPiece(loop.Count - 1, token, certain, text.Stopped ? FinishReason.StopString : finish, loop.Statistics);
    }
}
