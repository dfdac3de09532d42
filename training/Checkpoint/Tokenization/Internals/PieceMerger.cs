namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>
/// Merges the symbols of one piece, the earliest merge first, leftmost first among equals, until none applies. Short pieces look through all
/// their pairs each time; long ones keep them in a heap over a linked list, n log n for n symbols. One thread at a time.
/// </summary>
internal sealed class PieceMerger(PairTable merges)
{
    private const int Short = 40, Kept = 1 << 16;

    private readonly int[] _ranks = new int[Short], _made = new int[Short];
    private int[] _previous = [], _next = [];
    private ulong[] _heap = [];
    private int _heapCount;

    /// <summary>Merges in place; returns how many symbols are left at the front.</summary>
    public int Merge(Span<int> symbols) => symbols.Length <= Short ? MergeShort(symbols) : MergeLong(symbols);

    private int MergeShort(Span<int> symbols)
    {
        int count = symbols.Length;
        Span<int> ranks = _ranks, made = _made;
        for (int i = 0; i + 1 < count; i++)
        {
            ranks[i] = merges.Rank(symbols[i], symbols[i + 1], out made[i]);
        }
        while (count > 1)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 0; i + 1 < count; i++)
            {
                if (ranks[i] < best)
                {
                    (best, at) = (ranks[i], i);
                }
            }
            if (at < 0)
            {
                break;
            }
            symbols[at] = made[at];
            count--;
            symbols[(at + 2)..(count + 1)].CopyTo(symbols[(at + 1)..]);
            if (at + 1 < count)
            {
                ranks[(at + 2)..count].CopyTo(ranks[(at + 1)..]);
                made[(at + 2)..count].CopyTo(made[(at + 1)..]);
                ranks[at] = merges.Rank(symbols[at], symbols[at + 1], out made[at]);
            }
            if (at > 0)
            {
                ranks[at - 1] = merges.Rank(symbols[at - 1], symbols[at], out made[at - 1]);
            }
        }
        return count;
    }

    private int MergeLong(Span<int> symbols)
    {
        int count = symbols.Length;
        if (_next.Length < count)
        {
            (_previous, _next) = (new int[count], new int[count]);
        }
        _heapCount = 0;
        for (int i = 0; i < count; i++)
        {
            (_previous[i], _next[i]) = (i - 1, i + 1 < count ? i + 1 : -1);
        }
        for (int i = 0; i + 1 < count; i++)
        {
            Offer(symbols, i);
        }
        while (_heapCount > 0)
        {
            ulong best = Pop();
            int at = (int)(uint)best, right = _next[at];
            // A symbol that went into its left neighbour is -1; other outdated entries show by their rank.
            if (symbols[at] < 0 || right < 0 || merges.Rank(symbols[at], symbols[right], out int id) != (int)(best >> 32))
            {
                continue;
            }
            symbols[at] = id;
            symbols[right] = -1;
            _next[at] = _next[right];
            if (_next[at] >= 0)
            {
                _previous[_next[at]] = at;
                Offer(symbols, at);
            }
            if (_previous[at] >= 0)
            {
                Offer(symbols, _previous[at]);
            }
        }
        int left = 0;
        for (int at = 0; at >= 0; at = _next[at])
        {
            symbols[left++] = symbols[at];
        }
        if (count > Kept)
        {
            (_previous, _next, _heap) = ([], [], []);
        }
        return left;
    }

    private void Offer(Span<int> symbols, int at)
    {
        int rank = merges.Rank(symbols[at], symbols[_next[at]], out _);
        if (rank == int.MaxValue)
        {
            return;
        }
        if (_heapCount == _heap.Length)
        {
            Array.Resize(ref _heap, Math.Max(64, 2 * _heapCount));
        }
        ulong entry = ((ulong)(uint)rank << 32) | (uint)at;
        int child = _heapCount++;
        for (int parent; child > 0 && _heap[parent = (child - 1) / 2] > entry; child = parent)
        {
            _heap[child] = _heap[parent];
        }
        _heap[child] = entry;
    }

    private ulong Pop()
    {
        ulong top = _heap[0], last = _heap[--_heapCount];
        int parent = 0;
        for (int child; (child = 2 * parent + 1) < _heapCount; parent = child)
        {
            child += child + 1 < _heapCount && _heap[child + 1] < _heap[child] ? 1 : 0;
            if (_heap[child] >= last)
            {
                break;
            }
            _heap[parent] = _heap[child];
        }
        _heap[parent] = last;
        return top;
    }
}
