using System.Runtime.InteropServices;
using System.Text;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Tokenization.Internals;

/// <summary>How often each piece of GPT-2's cut occurs: all that a BPE trainer needs of a text.</summary>
internal sealed class WordCounter
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public WordCounter() => _bySpan = _counts.GetAlternateLookup<ReadOnlySpan<char>>();

    public long Total { get; private set; }

    public int Distinct => _counts.Count;

    public void Add(string document)
    {
        ReadOnlySpan<char> rest = document;
        while (rest.Length > 0)
        {
            int length = Gpt2PreTokenizer.NextPiece(rest);
            CollectionsMarshal.GetValueRefOrAddDefault(_bySpan, rest[..length], out _)++;
            Total++;
            rest = rest[length..];
        }
    }

    /// <summary>The words as ids of their bytes, in an order that depends on the text alone.</summary>
    public (int[] Symbols, long Count)[] Words(TokenTable tokens) =>
        [.. _counts.Select(entry => (Encoding.UTF8.GetBytes(entry.Key).Select(value => tokens.IdOfByte(value)).ToArray(), entry.Value))];
}
