using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tokenization.Internals;

namespace LatentMoE.Training.Tests.Tokenization;

public class WordCounterTests
{
    private static readonly TokenTable Tokens = new(["<|endoftext|>"]);

    private static Dictionary<string, long> Count(WordCounter counter, IEnumerable<string> documents)
    {
        foreach (string document in documents)
        {
            counter.Add(document);
        }
        counter.Flush();
        return counter.Words(Tokens).ToDictionary(word => string.Concat(word.Symbols.Select(id => Tokens[id])), word => word.Count);
    }

    [Fact]
    public void Add_CountsAsOneByOne_WhateverTheBatches()
    {
        var random = new Random(9);
        string[] documents = [.. Enumerable.Range(0, 500).Select(_ => string.Join(' ', Enumerable.Range(0, 20).Select(_ => $"w{random.Next(60)}é")))];
        var expected = documents.SelectMany(text => Gpt2PreTokenizer.Instance.PreTokenize(text).Select(piece => text.Substring(piece.Offset, piece.Length)))
            .GroupBy(word => string.Concat(System.Text.Encoding.UTF8.GetBytes(word).Select(ByteAlphabet.Symbol))).ToDictionary(group => group.Key, group => (long)group.Count());
        Assert.Equal(expected, Count(new WordCounter(), documents));
        Assert.Equal(expected, Count(new WordCounter(batchCharacters: 100), documents));
    }

    [Fact]
    public void Add_OfEndlessNewWords_StaysBoundedAndKeepsTheFrequent()
    {
        string[] documents = [.. Enumerable.Range(0, 4_000).Select(i => $"{(char)('a' + i % 26)}{(char)('a' + i / 26 % 26)}{(char)('a' + i / 676)} common")];
        var counter = new WordCounter(mostWords: 100, batchCharacters: 500);
        var counts = Count(counter, documents);
        Assert.InRange(counts.Count, 1, 100);
        Assert.Equal(4_000, counts["Ġcommon"]);
        Assert.True(counter.Dropped > 1_000);
        Assert.Equal(counts, Count(new WordCounter(mostWords: 100, batchCharacters: 500), documents));
    }

    [Fact]
    public void Add_OfALongPiece_CountsItsParts()
    {
        var counts = Count(new WordCounter(), [new string('x', 2 * WordCounter.LongestWord + 3), string.Concat(Enumerable.Repeat("x𝐀", 200))]);
        Assert.Equal(2, counts[new string('x', WordCounter.LongestWord)]);
        Assert.Equal(1, counts["xxx"]);
        Assert.DoesNotContain(counts.Keys, word => word.Contains("ï¿½"));
    }
}
