using System.Runtime.InteropServices;
using System.Text;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Tokenization.Internals;

/// <summary>
/// How often each piece of GPT-2's cut occurs: all that a BPE trainer needs of a text. Documents are counted in batches, on all cores within
/// one; where a batch ends depends on the text alone, and so does the result. Memory is bounded: a piece longer than
/// <see cref="LongestWord"/> characters (no space, as in base64) is counted in parts, and when the table is full after a batch the rarest
/// words leave it until it is half full. Ordinary text of gigabytes stays below both limits, and its counts are exact.
/// </summary>
internal sealed class WordCounter(int mostWords = 1 << 22, int batchCharacters = 1 << 22)
{
    /// <summary>In UTF-16 characters.</summary>
    public const int LongestWord = 256;

    private const int TableCharacters = 16; // For each word that the table may hold, on average.

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _batch = [];
    private int _batched;
    private long _characters;

    public long Total { get; private set; }

    public int Distinct => _counts.Count;

    /// <summary>How many words have been dropped because the table was full; the counts are exact while it is zero.</summary>
    public long Dropped { get; private set; }

    public void Add(string document)
    {
        _batch.Add(document);
        _batched += document.Length;
        if (_batched >= batchCharacters)
        {
            Flush();
        }
    }

    /// <summary>Counts what has been added. Call it after the last document.</summary>
    public void Flush()
    {
        var tables = new List<Dictionary<string, long>>();
        Parallel.For(0, _batch.Count, () => new Dictionary<string, long>(StringComparer.Ordinal), (i, _, table) =>
        {
            Count(_batch[i], table);
            return table;
        }, table =>
        {
            lock (tables)
            {
                tables.Add(table);
            }
        });
        foreach (var (word, count) in tables.SelectMany(table => table))
        {
            ref long known = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, word, out bool found);
            known += count;
            Total += count;
            _characters += found ? 0 : word.Length;
        }
        _batch.Clear();
        _batched = 0;
        Prune();
    }

    /// <summary>The words as ids of their bytes; the order means nothing.</summary>
    public (int[] Symbols, long Count)[] Words(TokenTable tokens)
    {
        var words = new (int[], long)[_counts.Count];
        Span<byte> utf8 = stackalloc byte[3 * LongestWord];
        int next = 0;
        foreach (var (word, count) in _counts)
        {
            var symbols = new int[Encoding.UTF8.GetBytes(word, utf8)];
            for (int i = 0; i < symbols.Length; i++)
            {
                symbols[i] = tokens.IdOfByte(utf8[i]);
            }
            words[next++] = (symbols, count);
        }
        return words;
    }

    private static void Count(ReadOnlySpan<char> rest, Dictionary<string, long> table)
    {
        var bySpan = table.GetAlternateLookup<ReadOnlySpan<char>>();
        while (rest.Length > 0)
        {
            int end = Gpt2PreTokenizer.NextPiece(rest);
            for (ReadOnlySpan<char> word = rest[..end]; word.Length > 0;)
            {
                int length = Math.Min(word.Length, LongestWord);
                length -= length < word.Length && char.IsHighSurrogate(word[length - 1]) && char.IsLowSurrogate(word[length]) ? 1 : 0;
                CollectionsMarshal.GetValueRefOrAddDefault(bySpan, word[..length], out _)++;
                word = word[length..];
            }
            rest = rest[end..];
        }
    }

    // Of the words that are met equally often, all leave together: which ones do depends on no order.
    private void Prune()
    {
        if (_counts.Count <= mostWords && _characters <= (long)mostWords * TableCharacters)
        {
            return;
        }
        for (long rarest = 1; _counts.Count > mostWords / 2 || _characters > (long)mostWords * TableCharacters / 2; rarest++)
        {
            foreach (var (word, count) in _counts)
            {
                if (count <= rarest)
                {
                    _counts.Remove(word);
                    _characters -= word.Length;
                    Dropped++;
                }
            }
        }
    }
}
