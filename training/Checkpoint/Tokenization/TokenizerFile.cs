using System.Buffers;
using System.Text;
using LatentMoE.Checkpoints.Tokenization.Internals;
using Microsoft.ML.Tokenizers;

namespace LatentMoE.Checkpoints.Tokenization;

/// <summary>
/// A byte-level BPE tokenizer as Hugging Face's <c>tokenizer.json</c> describes it: same ids as Hugging Face's own library gives,
/// and the raw bytes of every token. Safe to share between threads.
/// </summary>
public sealed class TokenizerFile
{
    private readonly string[] _tokens;
    private readonly byte[][] _bytes;
    private readonly bool[] _special;
    private readonly AddedTokenFinder _added, _normalizedAdded;
    private readonly TextNormalizer _normalizer;
    private readonly PieceEncoder _encoder;
    private readonly Lazy<BpeTokenizer> _tokenizer;

    private TokenizerFile(string file, TokenizerJson json)
    {
        FilePath = file;
        _tokens = json.Tokens;
        _normalizer = json.Normalizer;
        _added = new AddedTokenFinder(json.AddedTokens.Where(token => !token.Normalized));
        _normalizedAdded = new AddedTokenFinder(json.AddedTokens.Where(token => token.Normalized)
            .Select(token => token with { Content = _normalizer.Apply(token.Content) }));
        _special = new bool[_tokens.Length];
        _bytes = new byte[_tokens.Length][];
        foreach (AddedToken token in json.AddedTokens)
        {
            _special[token.Id] = token.Special;
            _bytes[token.Id] = token.Special ? [] : Encoding.UTF8.GetBytes(token.Content);
        }
        for (int id = 0; id < _tokens.Length; id++)
        {
            _bytes[id] ??= ByteAlphabet.Decode(_tokens[id]) ?? throw new CheckpointException(
                $"{file}: model.vocab[\"{_tokens[id]}\"] (id {id}) has a character outside the byte alphabet, and is not in added_tokens; expected a byte-level vocabulary.");
        }
        SpecialTokens = json.AddedTokens.Where(token => token.Special).ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        (BeginTokens, EndTokens) = (json.Around.Before, json.Around.After);
        _encoder = new PieceEncoder(json.PreTokenizer, json.Vocabulary, json.Merges, json.IgnoreMerges);
        bool plain = !json.IgnoreMerges && json.Normalizer.IsNone && !json.PreTokenizer.AddPrefixSpace;
        _tokenizer = new Lazy<BpeTokenizer>(() => plain ? BpeTokenizer.Create(new BpeOptions(json.Vocabulary)
        {
            Merges = json.Merges.Select(merge => $"{merge.Left} {merge.Right}"),
            ByteLevel = true,
            PreTokenizer = json.PreTokenizer.ToPreTokenizer(),
            SpecialTokens = SpecialTokens,
        }) : throw new NotSupportedException($"{file}: Microsoft's BpeTokenizer has no ignore_merges, normalizer or add_prefix_space as this file asks for."));
    }

    /// <summary>The file that was read.</summary>
    public string FilePath { get; }

    /// <summary>Microsoft's tokenizer with the same vocabulary, merges and cut, for code that takes one. It finds no added tokens.</summary>
    /// <exception cref="NotSupportedException">The file asks for what it does not have.</exception>
    public BpeTokenizer Tokenizer => _tokenizer.Value;

    /// <summary>Ids that the file's post_processor puts before a text; <see cref="Encode"/> does not.</summary>
    public IReadOnlyList<int> BeginTokens { get; }

    /// <summary>Ids that the file's post_processor puts after a text; <see cref="Encode"/> does not.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    /// <summary>Ids run from 0 to one less than this.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Ids of the special tokens by their text.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens { get; }

    /// <summary>Reads <c>tokenizer.json</c>, given the file or its folder.</summary>
    /// <exception cref="CheckpointException">The file is missing, damaged or contradicts itself, or asks for something that would change ids and is not supported.</exception>
    public static TokenizerFile Load(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        return new TokenizerFile(file, TokenizerJson.Read(file));
    }

    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>The token as the file spells it: special tokens plainly, the others in the byte alphabet.</summary>
    public string Token(int id) => _tokens[Known(id)];

    /// <summary>The bytes that a token adds to a text; none for a special token. They need not be whole characters.</summary>
    public ReadOnlyMemory<byte> Bytes(int id) => _bytes[Known(id)];

    /// <summary>As <see cref="Bytes"/>; false for special tokens and for ids outside the vocabulary.</summary>
    public bool TryGetBytes(int id, out ReadOnlySpan<byte> bytes)
    {
        bool text = (uint)id < (uint)_bytes.Length && !_special[id];
        bytes = text ? _bytes[id] : default;
        return text;
    }

    /// <summary>
    /// Ids of a text. Added tokens written in it, leftmost and longest first, become their ids; none is put around it.
    /// A lone surrogate is encoded as U+FFFD.
    /// </summary>
    /// <param name="seam">Is left out of the text, but only once added tokens have been found: one inside an added token's text keeps it a text.</param>
    public int[] Encode(string text, char? seam = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }
        var ids = new List<int>(text.Length / 4 + 1);
        int at = 0;
        while (_added.TryFind(text, at, out int start, out int end, out AddedToken? token))
        {
            EncodeBetween(text, at, start, seam, ids);
            ids.Add(token.Id);
            at = end;
        }
        EncodeBetween(text, at, text.Length, seam, ids);
        return [.. ids];
    }

    /// <summary>Appends the ids of a text in which added tokens are text like any other. A lone surrogate is encoded as U+FFFD.</summary>
    public void EncodeText(ReadOnlySpan<char> text, List<int> ids)
    {
        if (_normalizer.IsNone)
        {
            _encoder.Encode(text, ids);
            return;
        }
        _encoder.Encode(_normalizer.Apply(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()))), ids);
    }

    /// <summary>The text of ids. Bytes that are not UTF-8 become U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int id in ids)
        {
            if (!_special[Known(id)])
            {
                bytes.Write(_bytes[id]);
            }
            else if (!skipSpecialTokens)
            {
                Encoding.UTF8.GetBytes(_tokens[id], bytes);
            }
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    // Text without tokens that are looked for before it is normalised.
    private void EncodeBetween(string text, int start, int end, char? seam, List<int> ids)
    {
        if (start == end)
        {
            return;
        }
        ReadOnlySpan<char> normal = text.AsSpan(start, end - start);
        if (!_normalizer.IsNone)
        {
            normal = _normalizer.Apply(normal.ToString());
        }
        int at = 0;
        while (_normalizedAdded.TryFind(normal, at, out int first, out int after, out AddedToken? token))
        {
            EncodePlain(normal[at..first], seam, ids);
            ids.Add(token.Id);
            at = after;
        }
        EncodePlain(normal[at..], seam, ids);
    }

    private void EncodePlain(ReadOnlySpan<char> text, char? seam, List<int> ids) =>
        _encoder.Encode(seam is char mark && text.Contains(mark) ? text.ToString().Replace($"{mark}", "", StringComparison.Ordinal) : text, ids);

    private int Known(int id) => (uint)id < (uint)_tokens.Length ? id
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"Expected a token id from 0 to {_tokens.Length - 1}.");
}
