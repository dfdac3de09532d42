using System.Text;
using System.Text.Unicode;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Protocol;

namespace LatentMoE.Server.Internals.Answers;

/// <summary>How single tokens are shown: by their text, special tokens by their name, parts of characters as OpenAI does (<c>bytes:\xe2\x80</c>).</summary>
internal sealed class TokenTexts(LanguageModel model)
{
    public string Text(int token)
    {
        if (model.SpecialToken(token) is { } name)
        {
            return name;
        }
        var bytes = model.TokenBytes(token);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : "bytes:" + string.Concat(bytes.ToArray().Select(b => $"\\x{b:x2}"));
    }

    /// <summary>Null for special tokens.</summary>
    public int[]? Bytes(int token) => model.SpecialToken(token) is null ? [.. model.TokenBytes(token).ToArray().Select(b => (int)b)] : null;

    /// <summary>As llama.cpp writes it: a text, or a list of bytes where they are no whole characters.</summary>
    public TokenPiece Piece(int token) =>
        new(token, Utf8.IsValid(model.TokenBytes(token)) ? Text(token) : Bytes(token)!);
}
