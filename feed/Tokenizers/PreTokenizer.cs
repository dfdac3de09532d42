using System.Text.RegularExpressions;

namespace Microsoft.ML.Tokenizers;

/// <summary>Cuts a text into the pieces that no token crosses. Characters outside every piece are dropped.</summary>
public abstract partial class PreTokenizer
{
    private static readonly RegexPreTokenizer PlainWordOrNonWord = new(WordOrNonWord(), null);

    /// <summary>The pieces of a text, in order.</summary>
    public abstract IEnumerable<(int Offset, int Length)> PreTokenize(string text);

    /// <inheritdoc cref="PreTokenize(string)"/>
    public abstract IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text);

    /// <summary>Words, and runs of what is neither word nor white space; the special tokens stay whole.</summary>
    public static PreTokenizer CreateWordOrNonWord(IReadOnlyDictionary<string, int>? specialTokens = null) =>
        specialTokens is null ? PlainWordOrNonWord : new RegexPreTokenizer(WordOrNonWord(), specialTokens);

    [GeneratedRegex(@"\w+|[^\w\s]+")]
    private static partial Regex WordOrNonWord();
}
