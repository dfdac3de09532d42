using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Tokenizers;

/// <summary>
/// The ids of recently met short pieces: one immutable entry a slot, replaced on collision, so its size is bounded and readers need no lock.
/// </summary>
internal sealed class WordCache
{
    private const int Slots = 1 << 15, LongestPiece = 32;

    private readonly Entry?[] _entries = new Entry?[Slots];

    public bool TryGet(ReadOnlySpan<char> piece, [NotNullWhen(true)] out int[]? ids)
    {
        Entry? entry = piece.Length > LongestPiece ? null : Volatile.Read(ref _entries[Slot(piece)]);
        bool hit = entry is not null && piece.SequenceEqual(entry.Piece);
        ids = hit ? entry!.Ids : null;
        return hit;
    }

    /// <summary>Remembers that <paramref name="piece"/> is the ids from <paramref name="first"/> to the list's end.</summary>
    public void Add(ReadOnlySpan<char> piece, List<int> ids, int first)
    {
        if (piece.Length <= LongestPiece)
        {
            var entry = new Entry(piece.ToString(), CollectionsMarshal.AsSpan(ids)[first..].ToArray());
            Volatile.Write(ref _entries[Slot(piece)], entry);
        }
    }

    private static int Slot(ReadOnlySpan<char> piece) => string.GetHashCode(piece) & (Slots - 1);

    private sealed record Entry(string Piece, int[] Ids);
}
