using System.Text;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>Where the text of each generated token begins, in UTF-16 units; a character counts where its last byte comes.</summary>
internal sealed class TextOffsets(LanguageModel model)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private int _length;

    /// <summary>The offset of the next token.</summary>
    public int Next(int token)
    {
        int offset = _length;
        var bytes = model.TokenBytes(token);
        Span<char> characters = bytes.Length <= 256 ? stackalloc char[bytes.Length + 4] : new char[bytes.Length + 4];
        _length += _decoder.GetChars(bytes, characters, flush: false);
        return offset;
    }
}
