using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace LatentMoE.Checkpoints.Tokenization;

/// <summary>
/// GPT-2's cut of a text into pieces, what Hugging Face's ByteLevel does with <c>use_regex</c>:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// Written out because that pattern means code points, and .NET's expressions see UTF-16 halves. The pieces cover the text.
/// </summary>
public sealed class Gpt2PreTokenizer : PreTokenizer
{
    private enum Kind : byte { Other, Letter, Number, Space }

    private static readonly Kind[] Ascii = [.. Enumerable.Range(0, 128).Select(c => Classify(new Rune(c)))];

    private Gpt2PreTokenizer() { }

    public static Gpt2PreTokenizer Instance { get; } = new();

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        for (int at = 0, length; at < text.Length; at += length)
        {
            length = NextPiece(text.AsSpan(at));
            yield return (at, length);
        }
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
    {
        var pieces = new List<(int, int)>(text.Length / 4 + 1);
        for (int at = 0, length; at < text.Length; at += length)
        {
            length = NextPiece(text[at..]);
            pieces.Add((at, length));
        }
        return pieces;
    }

    /// <summary>Length in UTF-16 characters of the first piece of a text that is not empty. What follows the piece can change where it ends.</summary>
    public static int NextPiece(ReadOnlySpan<char> text)
    {
        int contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }
        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        Kind kind = KindAt(text, start, out int width);
        if (kind != Kind.Space)
        {
            return start + width + RunLength(text[(start + width)..], kind);
        }
        // White space: a run before a word leaves it one character, which goes with the word if it is a space.
        int run = RunLength(text, Kind.Space);
        return run == text.Length || run == 1 ? run : run - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length < 2)
        {
            return 0;
        }
        return text[1] switch
        {
            's' or 't' or 'm' or 'd' => 2,
            'r' or 'v' when text.Length > 2 && text[2] == 'e' => 3,
            'l' when text.Length > 2 && text[2] == 'l' => 3,
            _ => 0,
        };
    }

    private static int RunLength(ReadOnlySpan<char> text, Kind kind)
    {
        int at = 0;
        while (at < text.Length && KindAt(text, at, out int width) == kind)
        {
            at += width;
        }
        return at;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int at, out int width)
    {
        char c = text[at];
        width = 1;
        if (c < 128)
        {
            return Ascii[c];
        }
        if (!char.IsSurrogate(c))
        {
            return Classify(new Rune(c));
        }
        return Rune.DecodeFromUtf16(text[at..], out Rune rune, out width) == System.Buffers.OperationStatus.Done ? Classify(rune) : Kind.Other;
    }

    private static Kind Classify(Rune rune) => Rune.IsWhiteSpace(rune) ? Kind.Space : Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        _ => Kind.Other,
    };
}
