using System.Text.RegularExpressions;

namespace Microsoft.ML.Tokenizers;

/// <summary>The matches of a regular expression; special tokens are found first and stay whole.</summary>
public sealed class RegexPreTokenizer : PreTokenizer
{
    private readonly Regex _regex;
    private readonly Regex? _specialTokens;

    public RegexPreTokenizer(Regex regex, IReadOnlyDictionary<string, int>? specialTokens)
    {
        ArgumentNullException.ThrowIfNull(regex);
        _regex = regex;
        if (specialTokens is { Count: > 0 })
        {
            _specialTokens = new Regex(string.Join('|', specialTokens.Keys.Select(Regex.Escape)), RegexOptions.CultureInvariant);
        }
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Split(text);
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => Split(text);

    private List<(int Offset, int Length)> Split(ReadOnlySpan<char> text)
    {
        var pieces = new List<(int, int)>(text.Length / 4 + 1);
        int start = 0;
        if (_specialTokens is not null)
        {
            foreach (ValueMatch special in _specialTokens.EnumerateMatches(text))
            {
                Add(pieces, text[start..special.Index], start);
                pieces.Add((special.Index, special.Length));
                start = special.Index + special.Length;
            }
        }
        Add(pieces, text[start..], start);
        return pieces;
    }

    private void Add(List<(int, int)> pieces, ReadOnlySpan<char> part, int offset)
    {
        foreach (ValueMatch match in _regex.EnumerateMatches(part))
        {
            pieces.Add((offset + match.Index, match.Length));
        }
    }
}
