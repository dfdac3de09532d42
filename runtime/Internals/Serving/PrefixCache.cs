using System.Runtime.InteropServices;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// The caches of token sequences that were computed before, in blocks of <see cref="BlockTokens"/>, as a tree: a block is known by all tokens up
/// to its end, compared one by one. Of blocks that nothing builds on, the least recently used one makes room. Not thread-safe.
/// </summary>
internal sealed class PrefixCache : IDisposable
{
    public const int BlockTokens = 16;
    private readonly RowCache _rows;
    private readonly ReservedMemory? _memory;
    private readonly long _blockBytes;
    private readonly int _capacity;
    private readonly Dictionary<(Block? Parent, int Hash), Block> _blocks = [];
    private readonly LinkedList<Block> _recent = new(); // the latest first; a block comes before all that build on it

    /// <param name="bytes">Room for blocks; fewer bytes than one takes keep nothing.</param>
    public PrefixCache(RowCache rows, long bytes)
    {
        _rows = rows;
        _blockBytes = rows.BytesPerToken * BlockTokens;
        _capacity = rows.Movable ? (int)Math.Min(bytes / _blockBytes, int.MaxValue) : 0;
        _memory = _capacity > 0 ? new ReservedMemory(_blockBytes * _capacity) : null;
    }

    /// <summary>Bytes of the blocks that are held.</summary>
    public long Bytes => _blocks.Count * _blockBytes;

    /// <summary>Copies the longest known start of a sequence into a row, short of its last token; returns the number of tokens.</summary>
    public int Restore(ReadOnlySpan<int> tokens, int row)
    {
        Block? last = null;
        int count = 0;
        for (; count + BlockTokens < tokens.Length && Find(last, tokens.Slice(count, BlockTokens)) is { } block; count += BlockTokens)
        {
            _rows.Load(row, count, BlockTokens, Address(block));
            last = block;
        }
        Touch(last);
        return count;
    }

    /// <summary>Keeps the whole blocks of a row's tokens, as many as there is room for.</summary>
    public void Keep(ReadOnlySpan<int> tokens, int row)
    {
        Block? last = null;
        int count = 0;
        for (; count + BlockTokens <= tokens.Length && Find(last, tokens.Slice(count, BlockTokens)) is { } block; count += BlockTokens)
        {
            last = block;
        }
        Touch(last);
        for (; count + BlockTokens <= tokens.Length && Add(last, tokens.Slice(count, BlockTokens)) is { } block; count += BlockTokens)
        {
            _rows.Save(row, count, BlockTokens, Address(block));
            last = block;
        }
    }

    public void Dispose() => _memory?.Dispose();

    private Block? Find(Block? parent, ReadOnlySpan<int> tokens) =>
        _blocks.TryGetValue((parent, Hash(tokens)), out var block) && tokens.SequenceEqual(block.Tokens) ? block : null;

    private Block? Add(Block? parent, ReadOnlySpan<int> tokens)
    {
        var key = (parent, Hash(tokens));
        int[] copy = tokens.ToArray(); // now: once a place is taken nothing may fail
        if (_blocks.ContainsKey(key) || Place(parent) is not { } place) // other tokens with the same hash: the elder stays
        {
            return null;
        }
        var block = new Block(key, copy, place);
        _blocks.Add(key, block);
        if (parent is null)
        {
            _recent.AddFirst(block.Node);
        }
        else
        {
            _recent.AddAfter(parent.Node, block.Node);
        }
        return block;
    }

    // A free place, or the least recently used block's, unless the new block is to build on that one.
    private int? Place(Block? parent)
    {
        if (_blocks.Count < _capacity)
        {
            return _blocks.Count;
        }
        if (_recent.Last is not { } oldest || oldest.Value == parent)
        {
            return null;
        }
        _recent.Remove(oldest);
        _blocks.Remove(oldest.Value.Key);
        return oldest.Value.Place;
    }

    // From the end to the start, so that a block is always more recent than what builds on it.
    private void Touch(Block? block)
    {
        for (; block is not null; block = block.Key.Parent)
        {
            _recent.Remove(block.Node);
            _recent.AddFirst(block.Node);
        }
    }

    private nint Address(Block block) => _memory!.Start + (nint)(block.Place * _blockBytes);

    private static int Hash(ReadOnlySpan<int> tokens)
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(tokens));
        return hash.ToHashCode();
    }

    private sealed class Block
    {
        public Block((Block? Parent, int Hash) key, int[] tokens, int place)
        {
            (Key, Tokens, Place) = (key, tokens, place);
            Node = new LinkedListNode<Block>(this);
        }

        public (Block? Parent, int Hash) Key { get; }

        public int[] Tokens { get; }

        public int Place { get; }

        public LinkedListNode<Block> Node { get; }
    }
}
