using System.Text.RegularExpressions;
using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Tests.Checkpoint.Tokenization;

public partial class Gpt2PreTokenizerTests
{
    private static string[] Pieces(string text)
    {
        var pieces = Gpt2PreTokenizer.Instance.PreTokenize(text).ToArray();
        Assert.Equal(pieces, Gpt2PreTokenizer.Instance.PreTokenize(text.AsSpan()));
        return [.. pieces.Select(piece => text.Substring(piece.Offset, piece.Length))];
    }

    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("it's he'll we've I'm you're he'd don't", "it|'s| he|'ll| we|'ve| I|'m| you|'re| he|'d| don|'t")]
    [InlineData("'S x'LL", "'|S| x|'|LL")]
    [InlineData("''s", "''|s")]
    [InlineData("'", "'")]
    [InlineData("'l 'r", "'|l| '|r")]
    [InlineData("a1b22 33", "a|1|b|22| 33")]
    [InlineData("one  two", "one| | two")]
    [InlineData("one   two", "one|  | two")]
    [InlineData("end  ", "end|  ")]
    [InlineData("end ", "end| ")]
    [InlineData("a\nb", "a|\n|b")]
    [InlineData("a\n\nb", "a|\n|\n|b")]
    [InlineData("a \n b", "a| \n| b")]
    [InlineData("a\t b", "a|\t| b")]
    [InlineData("wait... what?!", "wait|...| what|?!")]
    [InlineData(" $5", " $|5")]
    [InlineData("é日本", "é日本")]
    [InlineData("a𝐀b", "a𝐀b")]
    [InlineData("x𝟘𝟙", "x|𝟘𝟙")]
    [InlineData("e\u0301", "e|\u0301")]
    [InlineData("\u00a0a", "\u00a0|a")]
    public void PreTokenize_CutsAsGpt2(string text, string pieces) => Assert.Equal(pieces.Split('|'), Pieces(text));

    [Fact]
    public void PreTokenize_CoversAnyText()
    {
        var random = new Random(1);
        for (int i = 0; i < 2_000; i++)
        {
            string text = Texts.RandomText(random) + (i % 5 == 0 ? "\ud800x" : "");
            Assert.Equal(text, string.Concat(Pieces(text)));
        }
    }

    [Fact]
    public void PreTokenize_AgreesWithThePatternWhereUtf16IsCodePoints()
    {
        var random = new Random(2);
        foreach (string text in Enumerable.Range(0, 3_000).Select(_ => string.Concat(Texts.RandomText(random).Where(c => !char.IsSurrogate(c)))))
        {
            Assert.Equal(Pattern().Matches(text).Select(match => match.Value), Pieces(text));
        }
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
