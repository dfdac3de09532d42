using System.Buffers;
using System.Collections.ObjectModel;
using System.Text;

namespace Microsoft.ML.Tokenizers;

/// <summary>
/// Byte-pair encoding: every piece starts as single symbols, and the earliest merge that applies, leftmost first, is made until none does.
/// Instances may be shared between threads.
/// </summary>
public sealed class BpeTokenizer : Tokenizer
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsBySpan;
    private readonly Dictionary<int, string> _tokens;
    private readonly Dictionary<string, int> _special;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _specialBySpan;
    private readonly Dictionary<int, string> _specialTokens;
    private readonly int _longestSpecial;
    private readonly int[] _byteIds = new int[256];
    private readonly int _unknownId = -1;
    private readonly MergeTable _merges;
    private readonly WordCache _cache = new();

    private BpeTokenizer(BpeOptions options)
    {
        _ids = new Dictionary<string, int>(options.Vocabulary, StringComparer.Ordinal);
        if (_ids.Count == 0)
        {
            throw new InvalidOperationException("The vocabulary is empty.");
        }
        _idsBySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = _ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        SpecialTokens = options.SpecialTokens;
        _special = new Dictionary<string, int>(options.SpecialTokens ?? ReadOnlyDictionary<string, int>.Empty, StringComparer.Ordinal);
        _specialBySpan = _special.GetAlternateLookup<ReadOnlySpan<char>>();
        _specialTokens = _special.ToDictionary(entry => entry.Value, entry => entry.Key);
        _longestSpecial = _special.Keys.Select(token => token.Length).DefaultIfEmpty().Max();
        UnknownToken = options.UnknownToken;
        if (UnknownToken is not null && !_ids.TryGetValue(UnknownToken, out _unknownId))
        {
            throw new InvalidOperationException($"The unknown token '{UnknownToken}' is not in the vocabulary.");
        }
        ByteLevel = options.ByteLevel;
        PreTokenizer = options.PreTokenizer ?? PreTokenizer.CreateWordOrNonWord();
        _merges = new MergeTable(_ids, options.Merges ?? []);
        for (int value = 0; value < 256; value++)
        {
            _byteIds[value] = _ids.TryGetValue(ByteAlphabet.Symbol((byte)value).ToString(), out int id) ? id : _unknownId;
        }
    }

    public IReadOnlyDictionary<string, int>? SpecialTokens { get; }

    public string? UnknownToken { get; }

    public bool ByteLevel { get; }

    public override PreTokenizer PreTokenizer { get; }

    public IReadOnlyDictionary<string, int> Vocabulary => new ReadOnlyDictionary<string, int>(_ids);

    /// <exception cref="InvalidOperationException">The vocabulary is empty, or a merge is malformed or names a token that it lacks.</exception>
    public static BpeTokenizer Create(BpeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new BpeTokenizer(options);
    }

    public override string Decode(IEnumerable<int> ids) => Decode(ids, considerSpecialTokens: true);

    /// <summary>The text of the ids. Ids outside the vocabulary give nothing; bytes that are not UTF-8 give U+FFFD.</summary>
    public string Decode(IEnumerable<int> ids, bool considerSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int id in ids)
        {
            if (_specialTokens.TryGetValue(id, out string? special))
            {
                if (considerSpecialTokens)
                {
                    Encoding.UTF8.GetBytes(special, bytes);
                }
            }
            else if (!considerSpecialTokens && id == _unknownId && UnknownToken is not null)
            {
                continue;
            }
            else if (_tokens.TryGetValue(id, out string? token))
            {
                Append(token, bytes);
            }
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private protected override void Encode(ReadOnlySpan<char> text, IEnumerable<(int Offset, int Length)> pieces, List<int> ids)
    {
        foreach (var (offset, length) in pieces)
        {
            ReadOnlySpan<char> piece = text.Slice(offset, length);
            if (IsSpecial(piece, out int special))
            {
                ids.Add(special);
            }
            else if (_cache.TryGet(piece, out int[]? known))
            {
                ids.AddRange(known.AsSpan());
            }
            else
            {
                SymbolList symbols = Merge(piece);
                int first = ids.Count;
                for (int at = symbols.First; at >= 0; at = symbols.Next(at))
                {
                    ids.Add(symbols.Id(at));
                }
                _cache.Add(piece, ids, first);
            }
        }
    }

    private protected override void Encode(ReadOnlySpan<char> text, IEnumerable<(int Offset, int Length)> pieces, List<EncodedToken> tokens)
    {
        foreach (var (offset, length) in pieces)
        {
            ReadOnlySpan<char> piece = text.Slice(offset, length);
            if (IsSpecial(piece, out int special))
            {
                tokens.Add(new EncodedToken(special, _specialTokens[special], new Range(offset, offset + length)));
                continue;
            }
            SymbolList symbols = Merge(piece);
            for (int at = symbols.First; at >= 0; at = symbols.Next(at))
            {
                int id = symbols.Id(at);
                var (start, end) = symbols.Characters(at);
                tokens.Add(new EncodedToken(id, _tokens[id], new Range(offset + start, offset + end)));
            }
        }
    }

    private bool IsSpecial(ReadOnlySpan<char> piece, out int id)
    {
        id = -1;
        return piece.Length <= _longestSpecial && _specialBySpan.TryGetValue(piece, out id);
    }

    private SymbolList Merge(ReadOnlySpan<char> piece)
    {
        SymbolList symbols = SymbolList.Rent();
        Span<byte> utf8 = stackalloc byte[4];
        for (int i = 0, width; i < piece.Length; i += width)
        {
            Rune.DecodeFromUtf16(piece[i..], out Rune rune, out width);
            if (ByteLevel)
            {
                int count = rune.EncodeToUtf8(utf8);
                for (int b = 0; b < count; b++)
                {
                    symbols.Add(_byteIds[utf8[b]], i);
                }
            }
            else
            {
                symbols.Add(_idsBySpan.TryGetValue(piece.Slice(i, width), out int id) ? id : _unknownId, i);
            }
        }
        symbols.MergeAll(_merges);
        return symbols;
    }

    private void Append(string token, ArrayBufferWriter<byte> bytes)
    {
        if (!ByteLevel)
        {
            Encoding.UTF8.GetBytes(token, bytes);
            return;
        }
        Span<byte> span = bytes.GetSpan(token.Length * 3);
        int written = 0;
        foreach (char symbol in token)
        {
            if (ByteAlphabet.TryGetByte(symbol, out byte value))
            {
                span[written++] = value;
            }
            else
            {
                written += Encoding.UTF8.GetBytes([symbol], span[written..]);
            }
        }
        bytes.Advance(written);
    }
}
