using LatentMoE.Runtime.Internals.Grammars.Masks;
using LatentMoE.Runtime.Internals.Text;

namespace LatentMoE.Runtime;

/// <summary>The bytes of every token of a model, arranged for grammars; made once for a model.</summary>
/// <param name="bytes">A token's bytes; none for special tokens.</param>
/// <param name="size">Logits of a step.</param>
/// <param name="endTokens">Tokens that end an answer; never taken as text.</param>
internal sealed class TokenVocabulary(TokenBytes bytes, int size, IReadOnlySet<int> endTokens)
{
    private readonly Lazy<TokenTrie> _trie = new(() => new TokenTrie(
        Enumerable.Range(0, size).Where(id => !endTokens.Contains(id)).Select(id => (id, bytes(id).ToArray()))));

    public int Size => size;

    public IReadOnlySet<int> EndTokens => endTokens;

    /// <summary>The tokens that are text; built when a grammar first asks for it.</summary>
    public TokenTrie Trie => _trie.Value;

    public ReadOnlySpan<byte> Bytes(int token) => bytes(token);
}
