using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace LatentMoE.Feed.Tests.Tokenizers;

public class RegexPreTokenizerTests
{
    private static string[] Pieces(PreTokenizer tokenizer, string text)
    {
        var pieces = tokenizer.PreTokenize(text).ToArray();
        Assert.Equal(pieces, tokenizer.PreTokenize(text.AsSpan()));
        return [.. pieces.Select(piece => text.Substring(piece.Offset, piece.Length))];
    }

    [Fact]
    public void PreTokenize_GivesTheMatches() =>
        Assert.Equal(["one", "22", "three"], Pieces(new RegexPreTokenizer(new Regex(@"\w+"), null), "one, 22 - three!"));

    [Fact]
    public void PreTokenize_KeepsSpecialTokensWhole()
    {
        var special = new Dictionary<string, int> { ["<|x|>"] = 0, ["[y]"] = 1 };
        Assert.Equal(["a", "<|x|>", "b", "c", "[y]"], Pieces(new RegexPreTokenizer(new Regex(@"\w"), special), "a<|x|>bc[y]"));
    }

    [Fact]
    public void PreTokenize_LooksAheadOnlyToTheSpecialToken()
    {
        var special = new Dictionary<string, int> { ["<|x|>"] = 0 };
        Assert.Equal(["a", "  ", "<|x|>"], Pieces(new RegexPreTokenizer(new Regex(@"\w+|\s+(?!\S)|\s+"), special), "a  <|x|>"));
    }

    [Fact]
    public void CreateWordOrNonWord_SplitsWordsFromPunctuation() =>
        Assert.Equal(["Hello", ",", "world", "!?"], Pieces(PreTokenizer.CreateWordOrNonWord(), "Hello, world !?"));

    [Fact]
    public void PreTokenize_OfNothing_IsNothing() => Assert.Empty(Pieces(PreTokenizer.CreateWordOrNonWord(), ""));
}
