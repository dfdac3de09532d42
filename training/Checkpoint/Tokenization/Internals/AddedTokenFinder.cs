using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace LatentMoE.Checkpoints.Tokenization.Internals;

/// <summary>A token that is found in the text before it is cut into pieces.</summary>
/// <param name="Normalized">Whether it is looked for in the normalised text, between those that are not.</param>
/// <param name="SingleWord">Whether it counts only where no word goes on before or after it.</param>
/// <param name="LeftStrip">Whether white space before it is part of it.</param>
/// <param name="RightStrip">Whether white space after it is part of it.</param>
internal sealed record AddedToken(string Content, int Id, bool Special, bool Normalized, bool SingleWord, bool LeftStrip, bool RightStrip);

/// <summary>Finds added tokens in a text, leftmost first, the longest among those that begin together.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<char, AddedToken[]> _byFirst;
    private readonly SearchValues<string> _contents;

    public AddedTokenFinder(IEnumerable<AddedToken> tokens)
    {
        _byFirst = tokens.GroupBy(token => token.Content[0]).ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());
        _contents = SearchValues.Create([.. _byFirst.Values.SelectMany(group => group).Select(token => token.Content)], StringComparison.Ordinal);
    }

    /// <summary>The first token from <paramref name="from"/> on, with the white space that it takes.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end, [NotNullWhen(true)] out AddedToken? token)
    {
        (start, end, token) = (text.Length, text.Length, null);
        for (int at = from; _byFirst.Count > 0; at = end)
        {
            int found = text[at..].IndexOfAny(_contents);
            if (found < 0)
            {
                break;
            }
            start = at + found;
            ReadOnlySpan<char> rest = text[start..];
            foreach (AddedToken candidate in _byFirst[rest[0]])
            {
                if (rest.StartsWith(candidate.Content))
                {
                    token = candidate;
                    break;
                }
            }
            end = start + token!.Content.Length;
            if (token.SingleWord && (EndsInWord(text[..start]) || BeginsWithWord(text[end..])))
            {
                token = null;
                continue;
            }
            while (token.LeftStrip && start > from && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }
            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }
            return true;
        }
        start = end = text.Length;
        token = null;
        return false;
    }

    private static bool EndsInWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    // Unicode's \w: letters, marks, digits, letter numbers, connectors, joiners.
    private static bool IsWord(Rune rune) => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) || Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
