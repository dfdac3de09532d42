using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Tokenization.Internals;

/// <summary>Tokens and their ids as they come to be. Two merges may make the same token; it keeps its first id.</summary>
internal sealed class TokenTable
{
    private readonly List<string> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly int[] _bytes = new int[256];

    public TokenTable(IReadOnlyList<string> specialTokens)
    {
        foreach (string token in specialTokens)
        {
            if (token.Length < 2 || _ids.ContainsKey(token))
            {
                throw new ArgumentException($"\"{token}\" cannot be a special token: expected different texts of two characters or more.", nameof(specialTokens));
            }
            Add(token);
        }
        // Ids of bytes follow the order of their symbols, as Hugging Face's trainer sorts its alphabet.
        foreach (var (symbol, value) in Enumerable.Range(0, 256).Select(value => (ByteAlphabet.Symbol((byte)value), value)).OrderBy(entry => entry.Item1[0]))
        {
            _bytes[value] = Add(symbol);
        }
    }

    public int Count => _tokens.Count;

    public string this[int id] => _tokens[id];

    public int IdOfByte(byte value) => _bytes[value];

    public int Join(int left, int right)
    {
        string token = _tokens[left] + _tokens[right];
        return _ids.TryGetValue(token, out int id) ? id : Add(token);
    }

    public string[] ToArray() => [.. _tokens];

    private int Add(string token)
    {
        _ids.Add(token, _tokens.Count);
        _tokens.Add(token);
        return _tokens.Count - 1;
    }
}
