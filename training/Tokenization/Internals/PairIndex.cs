using System.Runtime.InteropServices;

namespace LatentMoE.Training.Tokenization.Internals;

/// <summary>
/// Counts of adjacent pairs over all words, kept exact through merges: a merge visits only the words that hold its pair.
/// The queue may hold outdated counts; they are corrected when they surface, and a count that grew was queued anew.
/// </summary>
internal sealed class PairIndex
{
    private readonly (int[] Symbols, long Count)[] _words;
    private readonly int[] _lengths;
    private readonly int[] _visited;
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), Rank> _queue = new();
    private readonly HashSet<(int Left, int Right)> _grown = [];
    private int _visit;

    public PairIndex((int[] Symbols, long Count)[] words)
    {
        _words = words;
        _lengths = [.. words.Select(word => word.Symbols.Length)];
        _visited = new int[words.Length];
        for (int w = 0; w < words.Length; w++)
        {
            for (int i = 0; i + 1 < _lengths[w]; i++)
            {
                Grow(words[w].Symbols[i], words[w].Symbols[i + 1], w);
            }
        }
        QueueGrown();
    }

    /// <summary>The most frequent pair, smallest ids first among equals; false when none occurs <paramref name="least"/> times.</summary>
    public bool TryTakeBest(long least, out int left, out int right)
    {
        while (_queue.TryDequeue(out var pair, out Rank rank))
        {
            (left, right) = pair;
            long count = _pairs[pair].Count;
            if (count == rank.Count)
            {
                return count >= least;
            }
            if (count > 0 && count < rank.Count)
            {
                _queue.Enqueue(pair, new Rank(count, left, right));
            }
        }
        left = right = -1;
        return false;
    }

    /// <summary>Replaces the pair by <paramref name="id"/> in every word, from left to right.</summary>
    public void Merge(int left, int right, int id)
    {
        _visit++;
        List<int> places = _pairs[(left, right)].Words;
        _pairs[(left, right)] = new Pair(0, []);
        foreach (int w in places)
        {
            if (_visited[w] != _visit)
            {
                _visited[w] = _visit;
                MergeWord(w, left, right, id);
            }
        }
        CollectionsMarshal.GetValueRefOrNullRef(_pairs, (left, right)).Count = 0; // Overlaps, as in "aaa", were counted twice.
        QueueGrown();
    }

    private void MergeWord(int w, int left, int right, int id)
    {
        int[] symbols = _words[w].Symbols;
        int length = _lengths[w], to = 0;
        for (int from = 0; from < length; to++)
        {
            if (from + 1 >= length || symbols[from] != left || symbols[from + 1] != right)
            {
                symbols[to] = symbols[from++];
                continue;
            }
            if (to > 0)
            {
                Shrink(symbols[to - 1], left, w);
                Grow(symbols[to - 1], id, w);
            }
            if (from + 2 < length)
            {
                Shrink(right, symbols[from + 2], w);
                Grow(id, symbols[from + 2], w);
            }
            symbols[to] = id;
            from += 2;
        }
        _lengths[w] = to;
    }

    private void Grow(int left, int right, int word)
    {
        ref Pair pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, (left, right), out bool known);
        if (!known)
        {
            pair = new Pair(0, []);
        }
        pair.Count += _words[word].Count;
        if (pair.Words.Count == 0 || pair.Words[^1] != word)
        {
            pair.Words.Add(word);
        }
        _grown.Add((left, right));
    }

    private void Shrink(int left, int right, int word) =>
        CollectionsMarshal.GetValueRefOrNullRef(_pairs, (left, right)).Count -= _words[word].Count;

    private void QueueGrown()
    {
        foreach (var (left, right) in _grown)
        {
            _queue.Enqueue((left, right), new Rank(_pairs[(left, right)].Count, left, right));
        }
        _grown.Clear();
    }

    private record struct Pair(long Count, List<int> Words);

    // Smaller is better.
    private readonly record struct Rank(long Count, int Left, int Right) : IComparable<Rank>
    {
        public int CompareTo(Rank other) => Count != other.Count ? other.Count.CompareTo(Count)
            : Left != other.Left ? Left.CompareTo(other.Left) : Right.CompareTo(other.Right);
    }
}
