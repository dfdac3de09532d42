using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>
/// Text without added tokens to ids: cut into pieces, each of them remembered or merged. Once warm it allocates nothing but the list's room.
/// What a call works with is lent to one thread at a time, so that the encoder itself may be shared.
/// </summary>
internal sealed class PieceEncoder
{
    private readonly PreTokenizerSteps _steps;
    private readonly PairTable _merges;
    private readonly int[] _byteIds = new int[256];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>>? _whole;
    private readonly ConcurrentBag<Desk> _desks = [];

    /// <param name="ignoreMerges">Whether a piece that is a token takes its id whatever the merges say.</param>
    public PieceEncoder(PreTokenizerSteps steps, Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, bool ignoreMerges)
    {
        _steps = steps;
        _merges = new PairTable([.. merges.Select(merge => (vocabulary[merge.Left], vocabulary[merge.Right], vocabulary[merge.Left + merge.Right]))]);
        for (int value = 0; value < 256; value++)
        {
            _byteIds[value] = vocabulary[ByteAlphabet.Symbol((byte)value)];
        }
        _whole = ignoreMerges ? vocabulary.GetAlternateLookup<ReadOnlySpan<char>>() : null;
    }

    /// <summary>Appends the ids of a text. A lone surrogate counts as U+FFFD.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        if (text.IsEmpty)
        {
            return;
        }
        Desk desk = _desks.TryTake(out Desk? free) ? free : new Desk(_merges);
        try
        {
            Cut(text, 0, desk, ids);
        }
        finally
        {
            _desks.Add(desk);
        }
    }

    private void Cut(ReadOnlySpan<char> text, int step, Desk desk, List<int> ids)
    {
        if (step == _steps.Splits.Count)
        {
            Words(text, desk, ids);
            return;
        }
        var cuts = _steps.Splits[step].Of(text);
        while (cuts.MoveNext())
        {
            Cut(text.Slice(cuts.Start, cuts.Length), step + 1, desk, ids);
        }
    }

    private void Words(ReadOnlySpan<char> text, Desk desk, List<int> ids)
    {
        if (_steps.AddPrefixSpace && text[0] != ' ')
        {
            text = desk.Prefixed(text);
        }
        if (!_steps.UseRegex)
        {
            Piece(text, desk, ids);
            return;
        }
        while (text.Length > 0)
        {
            int length = Gpt2PreTokenizer.NextPiece(text);
            Piece(text[..length], desk, ids);
            text = text[length..];
        }
    }

    private void Piece(ReadOnlySpan<char> piece, Desk desk, List<int> ids)
    {
        int slot = PieceCache.Slot(piece);
        if (slot >= 0 && desk.Cache.TryGet(slot, piece, out ReadOnlySpan<int> known))
        {
            int at = ids.Count;
            CollectionsMarshal.SetCount(ids, at + known.Length);
            known.CopyTo(CollectionsMarshal.AsSpan(ids)[at..]);
            return;
        }
        int first = ids.Count;
        ReadOnlySpan<byte> utf8 = desk.Utf8(piece);
        CollectionsMarshal.SetCount(ids, first + utf8.Length);
        Span<int> symbols = CollectionsMarshal.AsSpan(ids)[first..];
        if (_whole is { } tokens && tokens.TryGetValue(desk.Spelled(utf8), out int whole))
        {
            symbols[0] = whole;
            CollectionsMarshal.SetCount(ids, first + 1);
        }
        else
        {
            for (int i = 0; i < utf8.Length; i++)
            {
                symbols[i] = _byteIds[utf8[i]];
            }
            CollectionsMarshal.SetCount(ids, first + desk.Merger.Merge(symbols));
        }
        if (slot >= 0)
        {
            desk.Cache.Set(slot, piece, CollectionsMarshal.AsSpan(ids)[first..]);
        }
    }

    // What one call works with.
    private sealed class Desk(PairTable merges)
    {
        private const int Kept = 1 << 16;

        private byte[] _utf8 = new byte[256];
        private char[] _spelled = new char[256], _prefixed = [];

        public PieceCache Cache { get; } = new();

        public PieceMerger Merger { get; } = new(merges);

        public ReadOnlySpan<byte> Utf8(ReadOnlySpan<char> piece)
        {
            Grow(ref _utf8, 3 * piece.Length);
            return _utf8.AsSpan(0, Encoding.UTF8.GetBytes(piece, _utf8));
        }

        public ReadOnlySpan<char> Spelled(ReadOnlySpan<byte> utf8)
        {
            Grow(ref _spelled, utf8.Length);
            for (int i = 0; i < utf8.Length; i++)
            {
                _spelled[i] = ByteAlphabet.Symbol(utf8[i])[0];
            }
            return _spelled.AsSpan(0, utf8.Length);
        }

        public ReadOnlySpan<char> Prefixed(ReadOnlySpan<char> text)
        {
            Grow(ref _prefixed, text.Length + 1);
            _prefixed[0] = ' ';
            text.CopyTo(_prefixed.AsSpan(1));
            return _prefixed.AsSpan(0, text.Length + 1);
        }

        // One long piece does not keep its room for good.
        private static void Grow<T>(ref T[] buffer, int length)
        {
            if (buffer.Length < length || buffer.Length > Kept)
            {
                buffer = new T[Math.Max(length, 256)];
            }
        }
    }
}
