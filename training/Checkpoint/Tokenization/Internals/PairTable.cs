using System.Numerics;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>From a pair of ids to its merge: the rank, smaller is earlier, and the id that it makes. Open addressing, at most half full.</summary>
internal sealed class PairTable
{
    private readonly Entry[] _entries;
    private readonly int _shift;

    public PairTable(IReadOnlyList<(int Left, int Right, int Id)> merges)
    {
        int bits = Math.Max(4, BitOperations.Log2((uint)merges.Count + 1) + 2);
        _entries = new Entry[1 << bits];
        _shift = 64 - bits;
        Array.Fill(_entries, new Entry(ulong.MaxValue, -1, -1));
        for (int rank = 0; rank < merges.Count; rank++)
        {
            ulong key = Key(merges[rank].Left, merges[rank].Right);
            int slot = Slot(key);
            while (_entries[slot].Pair != ulong.MaxValue)
            {
                slot = (slot + 1) & (_entries.Length - 1);
            }
            _entries[slot] = new Entry(key, rank, merges[rank].Id);
        }
    }

    /// <summary>The rank, or <see cref="int.MaxValue"/> where the pair does not merge.</summary>
    public int Rank(int left, int right, out int id)
    {
        Entry[] entries = _entries;
        ulong key = Key(left, right);
        for (int slot = Slot(key); ; slot = (slot + 1) & (entries.Length - 1))
        {
            ref readonly Entry entry = ref entries[slot];
            if (entry.Pair == key)
            {
                id = entry.Id;
                return entry.Rank;
            }
            if (entry.Pair == ulong.MaxValue)
            {
                id = -1;
                return int.MaxValue;
            }
        }
    }

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private readonly record struct Entry(ulong Pair, int Rank, int Id);
}
