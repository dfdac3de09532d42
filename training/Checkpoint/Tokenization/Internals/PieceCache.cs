using System.Runtime.InteropServices;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>The ids of short pieces met before: one piece a slot, the newer in place of the older, so that its size is fixed. One thread at a time.</summary>
internal sealed class PieceCache
{
    private const int Bits = 14, LongestPiece = 24, MostIds = 6;

    private readonly char[] _pieces = new char[LongestPiece << Bits];
    private readonly int[] _ids = new int[MostIds << Bits];
    private readonly (byte Length, byte Count)[] _sizes = new (byte, byte)[1 << Bits];

    /// <summary>The slot that a piece has; -1 for one that is too long to be kept.</summary>
    public static int Slot(ReadOnlySpan<char> piece)
    {
        if (piece.Length > LongestPiece)
        {
            return -1;
        }
        const ulong Mix = 0x9E3779B97F4A7C15;
        ulong hash = (ulong)piece.Length;
        ReadOnlySpan<ulong> fours = MemoryMarshal.Cast<char, ulong>(piece);
        foreach (ulong four in fours)
        {
            hash = (hash ^ four) * Mix;
            hash ^= hash >> 32;
        }
        foreach (char c in piece[(4 * fours.Length)..])
        {
            hash = (hash ^ c) * Mix;
            hash ^= hash >> 32;
        }
        return (int)((hash * Mix) >> (64 - Bits));
    }

    public bool TryGet(int slot, ReadOnlySpan<char> piece, out ReadOnlySpan<int> ids)
    {
        var (length, count) = _sizes[slot];
        bool hit = length == piece.Length && piece.SequenceEqual(_pieces.AsSpan(slot * LongestPiece, length));
        ids = hit ? _ids.AsSpan(slot * MostIds, count) : default;
        return hit;
    }

    public void Set(int slot, ReadOnlySpan<char> piece, ReadOnlySpan<int> ids)
    {
        if (ids.Length <= MostIds)
        {
            piece.CopyTo(_pieces.AsSpan(slot * LongestPiece));
            ids.CopyTo(_ids.AsSpan(slot * MostIds));
            _sizes[slot] = ((byte)piece.Length, (byte)ids.Length);
        }
    }
}
