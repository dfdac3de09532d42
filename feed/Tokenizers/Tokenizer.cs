namespace Microsoft.ML.Tokenizers;

/// <summary>Text to token ids and back. Only the tokenizers of this assembly derive from it.</summary>
public abstract class Tokenizer
{
    private protected Tokenizer() { }

    public virtual PreTokenizer? PreTokenizer => null;

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text to encode.</param>
    /// <param name="considerPreTokenization">False encodes the text as one piece.</param>
    /// <param name="considerNormalization">Has no effect: these tokenizers normalise nothing.</param>
    public IReadOnlyList<int> EncodeToIds(string text, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 4 + 1);
        Encode(text, Pieces(text, considerPreTokenization), ids);
        return ids;
    }

    /// <inheritdoc cref="EncodeToIds(string, bool, bool)"/>
    public IReadOnlyList<int> EncodeToIds(ReadOnlySpan<char> text, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        var ids = new List<int>(text.Length / 4 + 1);
        Encode(text, Pieces(text, considerPreTokenization), ids);
        return ids;
    }

    /// <summary>The tokens of a text with their places in it.</summary>
    /// <param name="text">The text to encode.</param>
    /// <param name="normalizedText">Always null: these tokenizers normalise nothing.</param>
    /// <param name="considerPreTokenization">False encodes the text as one piece.</param>
    /// <param name="considerNormalization">Has no effect.</param>
    public IReadOnlyList<EncodedToken> EncodeToTokens(string text, out string? normalizedText, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        normalizedText = null;
        var tokens = new List<EncodedToken>(text.Length / 4 + 1);
        Encode(text, Pieces(text, considerPreTokenization), tokens);
        return tokens;
    }

    /// <inheritdoc cref="EncodeToTokens(string, out string?, bool, bool)"/>
    public IReadOnlyList<EncodedToken> EncodeToTokens(ReadOnlySpan<char> text, out string? normalizedText, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        normalizedText = null;
        var tokens = new List<EncodedToken>(text.Length / 4 + 1);
        Encode(text, Pieces(text, considerPreTokenization), tokens);
        return tokens;
    }

    /// <summary>How many tokens a text has.</summary>
    public int CountTokens(string text, bool considerPreTokenization = true, bool considerNormalization = true) =>
        EncodeToIds(text, considerPreTokenization, considerNormalization).Count;

    /// <inheritdoc cref="CountTokens(string, bool, bool)"/>
    public int CountTokens(ReadOnlySpan<char> text, bool considerPreTokenization = true, bool considerNormalization = true) =>
        EncodeToIds(text, considerPreTokenization, considerNormalization).Count;

    /// <summary>The text of the ids, special tokens included.</summary>
    public abstract string Decode(IEnumerable<int> ids);

    private protected abstract void Encode(ReadOnlySpan<char> text, IEnumerable<(int Offset, int Length)> pieces, List<int> ids);

    private protected abstract void Encode(ReadOnlySpan<char> text, IEnumerable<(int Offset, int Length)> pieces, List<EncodedToken> tokens);

    private IEnumerable<(int Offset, int Length)> Pieces(string text, bool split) =>
        text.Length == 0 ? [] : split && PreTokenizer is not null ? PreTokenizer.PreTokenize(text) : [(0, text.Length)];

    private IEnumerable<(int Offset, int Length)> Pieces(ReadOnlySpan<char> text, bool split) =>
        text.Length == 0 ? [] : split && PreTokenizer is not null ? PreTokenizer.PreTokenize(text) : [(0, text.Length)];
}
