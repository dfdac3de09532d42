using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime;

/// <summary>The bytes of every token of a model, arranged for grammars; made once for a model.</summary>
/// <param name="bytes">A token's bytes; none for special tokens.</param>
/// <param name="size">Logits of a step.</param>
/// <param name="endTokens">Tokens that end an answer.</param>
internal sealed class TokenVocabulary(TokenBytes bytes, int size, IReadOnlySet<int> endTokens)
{
    public int Size => size;

    public IReadOnlySet<int> EndTokens => endTokens;

    public ReadOnlySpan<byte> Bytes(int token) => bytes(token);
}
