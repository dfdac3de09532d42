namespace Microsoft.ML.Tokenizers;

/// <summary>
/// The symbols of one piece as a doubly linked list in arrays. Merging keeps the left node, so node 0 stays the first.
/// A queue of candidate merges ordered by rank, then place, makes a piece of n symbols cost n log n.
/// </summary>
internal sealed class SymbolList
{
    [ThreadStatic] private static SymbolList? _scratch;

    private readonly PriorityQueue<(int At, int Id), long> _queue = new();
    private Node[] _nodes = new Node[64];
    private int _count;

    /// <summary>The calling thread's list, emptied. It is valid until the thread's next call.</summary>
    public static SymbolList Rent()
    {
        _scratch ??= new SymbolList();
        _scratch._count = 0;
        return _scratch;
    }

    /// <summary>Appends a symbol of the character at <paramref name="character"/>; a negative id is dropped.</summary>
    public void Add(int id, int character)
    {
        if (id < 0)
        {
            return;
        }
        if (_count == _nodes.Length)
        {
            Array.Resize(ref _nodes, 2 * _count);
        }
        _nodes[_count] = new Node { Id = id, First = character, Last = character, Previous = _count - 1, Next = -1 };
        if (_count > 0)
        {
            _nodes[_count - 1].Next = _count;
        }
        _count++;
    }

    /// <summary>The first node, or -1 of an empty list.</summary>
    public int First => _count == 0 ? -1 : 0;

    public int Id(int at) => _nodes[at].Id;

    /// <summary>The node after <paramref name="at"/>, or -1.</summary>
    public int Next(int at) => _nodes[at].Next;

    public (int Start, int End) Characters(int at) => (_nodes[at].First, _nodes[at].Last + 1);

    public void MergeAll(MergeTable merges)
    {
        for (int at = 0; at + 1 < _count; at++)
        {
            Offer(at, merges);
        }
        while (_queue.TryDequeue(out var candidate, out _))
        {
            ref Node left = ref _nodes[candidate.At];
            if (left.Id < 0 || left.Next < 0 || !merges.TryGet(left.Id, _nodes[left.Next].Id, out _, out int id) || id != candidate.Id)
            {
                continue;
            }
            ref Node right = ref _nodes[left.Next];
            left.Id = id;
            left.Last = right.Last;
            left.Next = right.Next;
            right.Id = -1;
            if (left.Next >= 0)
            {
                _nodes[left.Next].Previous = candidate.At;
                Offer(candidate.At, merges);
            }
            if (left.Previous >= 0)
            {
                Offer(left.Previous, merges);
            }
        }
    }

    private void Offer(int at, MergeTable merges)
    {
        if (merges.TryGet(_nodes[at].Id, _nodes[_nodes[at].Next].Id, out int rank, out int id))
        {
            _queue.Enqueue((at, id), ((long)rank << 32) | (uint)at);
        }
    }

    private struct Node
    {
        public int Id, First, Last, Previous, Next;
    }
}
