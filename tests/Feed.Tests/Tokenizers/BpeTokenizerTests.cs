using Microsoft.ML.Tokenizers;

namespace LatentMoE.Feed.Tests.Tokenizers;

/// <summary>What this repository asks of Microsoft.ML.Tokenizers, whichever package of that id is installed.</summary>
public class BpeTokenizerTests
{
    private static readonly string[] Letters = ["a", "b", "c", "d", "Ġ"];

    private static BpeTokenizer Create(string[] merges, Action<BpeOptions>? configure = null)
    {
        string[] tokens = [.. Letters, "Ã", "©", "ł", "ë", "ĵ", "ð", "Ł", "ĺ", "Ģ", .. merges.Select(merge => merge.Replace(" ", ""))];
        var options = new BpeOptions(tokens.Distinct().Select((token, id) => KeyValuePair.Create(token, id)))
        {
            Merges = merges,
            ByteLevel = true,
            PreTokenizer = PreTokenizer.CreateWordOrNonWord(),
        };
        configure?.Invoke(options);
        return BpeTokenizer.Create(options);
    }

    private static string[] Tokens(BpeTokenizer tokenizer, string text)
    {
        var spelling = tokenizer.Vocabulary.ToDictionary(entry => entry.Value, entry => entry.Key);
        return [.. tokenizer.EncodeToIds(text).Select(id => spelling[id])];
    }

    [Fact]
    public void EncodeToIds_MakesTheEarliestMergeFirst()
    {
        Assert.Equal(["a", "bc"], Tokens(Create(["b c", "a b"]), "abc"));
        Assert.Equal(["ab", "c"], Tokens(Create(["a b", "b c"]), "abc"));
    }

    [Fact]
    public void EncodeToIds_MergesFromTheLeft()
    {
        BpeTokenizer tokenizer = Create(["a a"]);
        Assert.Equal(["aa", "a"], Tokens(tokenizer, "aaa"));
        Assert.Equal(["aa", "aa"], Tokens(tokenizer, "aaaa"));
    }

    [Fact]
    public void EncodeToIds_BuildsOnMergedTokens() => Assert.Equal(["abcd"], Tokens(Create(["a b", "c d", "ab cd"]), "abcd"));

    [Fact]
    public void EncodeToIds_KeepsPiecesApart() => Assert.Equal(["a", "b"], Tokens(Create(["a b"]), "a b"));

    [Fact]
    public void EncodeToIds_WithoutPreTokenization_IsOnePiece() =>
        Assert.Equal(Create(["a Ġ"]).EncodeToIds("a b", considerPreTokenization: false), [Create(["a Ġ"]).Vocabulary["aĠ"], 1]);

    [Fact]
    public void EncodeToIds_SpansAndStringsAgree()
    {
        BpeTokenizer tokenizer = Create(["a b", "ab c"]);
        Assert.Equal(tokenizer.EncodeToIds("abc ab cab"), tokenizer.EncodeToIds("abc ab cab".AsSpan()));
        Assert.Equal(tokenizer.EncodeToIds("abc ab cab").Count, tokenizer.CountTokens("abc ab cab"));
    }

    [Fact]
    public void EncodeToIds_AgreesWithMergingByHand()
    {
        string[] merges = ["a b", "b c", "ab c", "c c", "d a", "cc a", "bc d", "abc abc", "da b", "a a"];
        BpeTokenizer tokenizer = Create(merges);
        var random = new Random(3);
        for (int i = 0; i < 500; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => Letters[random.Next(4)]));
            Assert.Equal(MergeByHand(text, merges), Tokens(tokenizer, text));
        }
    }

    [Fact]
    public void EncodeToIds_TakesALongPiece()
    {
        string[] merges = ["a a", "aa aa", "aaaa aaaa"];
        Assert.Equal(100_000 / 8, Create(merges).EncodeToIds(new string('a', 100_000)).Count);
    }

    [Fact]
    public void EncodeToIds_IsTheSameFromManyThreads()
    {
        BpeTokenizer tokenizer = Create(["a b", "ab c", "c d", "d d"]);
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => string.Concat(Enumerable.Range(0, 30).Select(k => Letters[(i * 31 + k * k) % 4])))];
        var expected = texts.Select(text => tokenizer.EncodeToIds(text)).ToArray();
        Parallel.For(0, 4_000, i => Assert.Equal(expected[i % 400], tokenizer.EncodeToIds(texts[i % 400])));
    }

    [Fact]
    public void EncodeToTokens_GivesSpellingAndPlace()
    {
        var tokens = Create(["a b", "Ã ©"]).EncodeToTokens("ab éc", out string? normalized);
        Assert.Null(normalized);
        Assert.Equal(["ab", "Ã©", "c"], tokens.Select(token => token.Value));
        Assert.Equal([new Range(0, 2), new Range(3, 4), new Range(4, 5)], tokens.Select(token => token.Offset));
    }

    [Fact]
    public void Decode_JoinsBytesOfSeveralTokens()
    {
        BpeTokenizer tokenizer = Create(["a b"]);
        int Id(string token) => tokenizer.Vocabulary[token];
        Assert.Equal("ab é 😀", tokenizer.Decode([Id("ab"), Id("Ġ"), Id("Ã"), Id("©"), Id("Ġ"), Id("ð"), Id("Ł"), Id("ĺ"), Id("Ģ")]));
        Assert.Equal("a\uFFFDb", tokenizer.Decode([Id("a"), Id("Ã"), Id("b")]));
    }

    [Fact]
    public void SpecialTokens_HaveTheirOwnIds()
    {
        var special = new Dictionary<string, int> { ["<s>"] = 90 };
        BpeTokenizer tokenizer = Create(["a b"], options =>
        {
            options.SpecialTokens = special;
            options.PreTokenizer = PreTokenizer.CreateWordOrNonWord(special);
        });
        Assert.Equal([tokenizer.Vocabulary["ab"], 90, tokenizer.Vocabulary["c"]], tokenizer.EncodeToIds("ab<s>c"));
        Assert.Equal("ab<s>c", tokenizer.Decode([tokenizer.Vocabulary["ab"], 90, tokenizer.Vocabulary["c"]]));
        Assert.Equal("abc", tokenizer.Decode([tokenizer.Vocabulary["ab"], 90, tokenizer.Vocabulary["c"]], considerSpecialTokens: false));
    }

    [Fact]
    public void UnknownToken_StandsForWhatTheVocabularyLacks()
    {
        BpeTokenizer tokenizer = Create(["a b"], options =>
        {
            options.ByteLevel = false;
            options.UnknownToken = "d";
        });
        Assert.Equal(["ab", "d", "c"], Tokens(tokenizer, "abzc"));
    }

    [Fact]
    public void WithoutUnknownToken_WhatTheVocabularyLacksIsDropped()
    {
        BpeTokenizer tokenizer = Create(["a b"]);
        Assert.Equal(["a", "c"], Tokens(tokenizer, "azc"));
        Assert.Empty(tokenizer.EncodeToIds("zz"));
        Assert.Empty(tokenizer.EncodeToIds(""));
    }

    [Theory]
    [InlineData("a q")]
    [InlineData("a c")]
    [InlineData("ab")]
    public void Create_RefusesAMergeThatMakesNoToken(string merge)
    {
        var options = new BpeOptions(Letters.Select((token, id) => KeyValuePair.Create(token, id))) { Merges = [merge] };
        Assert.Throws<InvalidOperationException>(() => BpeTokenizer.Create(options));
    }

    private static string[] MergeByHand(string text, string[] merges)
    {
        var symbols = text.Select(c => c.ToString()).ToList();
        while (true)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                int rank = Array.IndexOf(merges, $"{symbols[i]} {symbols[i + 1]}");
                if (rank >= 0 && rank < best)
                {
                    (best, at) = (rank, i);
                }
            }
            if (at < 0)
            {
                return [.. symbols];
            }
            symbols[at] += symbols[at + 1];
            symbols.RemoveAt(at + 1);
        }
    }
}
