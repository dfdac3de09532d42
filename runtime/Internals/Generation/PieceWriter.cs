using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime.Internals.Generation;

/// <summary>From the tokens of an answer to its pieces, one a token, until the tokens end or a stop string is complete.</summary>
internal sealed class PieceWriter(TextStream text)
{
    private int _count;

    /// <summary>The piece of the next token. The last one has a finish reason; its statistics are for the caller to add.</summary>
    /// <param name="finish">Why the answer ends with this token, as <see cref="FinishRule"/> says.</param>
    public GeneratedPiece Next(int token, FinishReason? finish, TokenLogprobs? logprobs)
    {
        string certain = finish == FinishReason.StopToken ? "" : text.Append(token);
        if (finish is not null || text.Stopped)
        {
            certain += text.Flush();
            finish = text.Stopped ? FinishReason.StopString : finish;
        }
        return new GeneratedPiece(_count++, token, certain, finish, Logprobs: logprobs);
    }
}
