using System.Buffers;
using System.Diagnostics.CodeAnalysis;
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
    private readonly AddedToken[] _added;
    private readonly SearchValues<string> _addedText;

    private TokenizerFile(string file, TokenizerJson json)
    {
        FilePath = file;
        _tokens = json.Tokens;
        _added = [.. json.AddedTokens.OrderByDescending(token => token.Content.Length)];
        _addedText = SearchValues.Create([.. _added.Select(token => token.Content)], StringComparison.Ordinal);
        _special = new bool[_tokens.Length];
        _bytes = new byte[_tokens.Length][];
        foreach (AddedToken token in _added)
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
        Tokenizer = BpeTokenizer.Create(new BpeOptions(json.Vocabulary)
        {
            Merges = json.Merges,
            ByteLevel = true,
            PreTokenizer = Gpt2PreTokenizer.Instance,
            SpecialTokens = SpecialTokens,
        });
    }

    /// <summary>The file that was read.</summary>
    public string FilePath { get; }

    /// <summary>Encodes text between added tokens; use <see cref="Encode"/> for text that may contain them.</summary>
    public BpeTokenizer Tokenizer { get; }

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
        ReadOnlySpan<char> rest = text;
        while (TryFindAdded(rest, out int at, out AddedToken? token))
        {
            ids.AddRange(EncodePlain(rest[..at], seam));
            ids.Add(token.Id);
            rest = rest[(at + token.Content.Length)..];
        }
        ids.AddRange(rest.Length == text.Length && seam is null ? Tokenizer.EncodeToIds(text) : EncodePlain(rest, seam));
        return [.. ids];
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

    private bool TryFindAdded(ReadOnlySpan<char> text, out int at, [NotNullWhen(true)] out AddedToken? token)
    {
        token = null;
        at = _added.Length == 0 ? -1 : text.IndexOfAny(_addedText);
        for (int i = 0; at >= 0 && token is null; i++)
        {
            token = text[at..].StartsWith(_added[i].Content) ? _added[i] : null;
        }
        return at >= 0;
    }

    private IReadOnlyList<int> EncodePlain(ReadOnlySpan<char> text, char? seam) => seam is char mark && text.Contains(mark)
        ? Tokenizer.EncodeToIds(text.ToString().Replace($"{mark}", "", StringComparison.Ordinal))
        : Tokenizer.EncodeToIds(text);

    private int Known(int id) => (uint)id < (uint)_tokens.Length ? id
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"Expected a token id from 0 to {_tokens.Length - 1}.");
}
