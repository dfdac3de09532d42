using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Tests.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Tokenization;

public class BpeTrainerTests
{
    private static readonly string[] Special = ["<|endoftext|>", "<|pad|>"];

    private static readonly string[] Documents =
        ["low low low lower newest newest widest", "the newest and the lowest of the wide lowlands, wider than low land", "aaa aaaa aaaaa bababa 'tis it's", "日本 日本語 日本人 éé é"];

    [Fact]
    public void Train_PutsSpecialsFirstThenBytesThenMerges()
    {
        BpeVocabulary vocabulary = BpeTrainer.Train(Documents, 270, Special);
        Assert.Equal(Special, vocabulary.Tokens.Take(2));
        Assert.Equal(Enumerable.Range(0, 256).Select(value => ByteAlphabet.Symbol((byte)value)[0]).Order().Select(c => c.ToString()), vocabulary.Tokens.Skip(2).Take(256));
        Assert.Equal(vocabulary.Merges.Select(merge => merge.Left + merge.Right), vocabulary.Tokens.Skip(258));
    }

    [Theory]
    [InlineData(258)]
    [InlineData(259)]
    [InlineData(285)]
    public void Train_GivesTheSizeAskedFor(int size)
    {
        BpeVocabulary vocabulary = BpeTrainer.Train(Documents, size, Special);
        Assert.Equal(size, vocabulary.Tokens.Count);
        Assert.True(vocabulary.Complete);
    }

    [Fact]
    public void Train_MergesTheMostFrequentPairFirst()
    {
        BpeVocabulary vocabulary = BpeTrainer.Train(["ab ab ab cd cd"], 300, Special);
        Assert.Equal([("a", "b"), ("c", "d"), ("Ġ", "ab"), ("Ġ", "cd")], vocabulary.Merges);
    }

    [Fact]
    public void Train_OfEqualCounts_TakesTheSmallerIds() =>
        Assert.Equal([("a", "c"), ("b", "d"), ("b", "e")], BpeTrainer.Train(["be,be;bd,bd;ac,ac"], 300, Special).Merges.Where(merge => char.IsAsciiLetter(merge.Left[0])));

    [Fact]
    public void Train_StopsWhenNoPairIsRepeated()
    {
        BpeVocabulary vocabulary = BpeTrainer.Train(["xyz"], 300, Special);
        Assert.False(vocabulary.Complete);
        Assert.Empty(vocabulary.Merges);
    }

    [Fact]
    public void Train_AgreesWithCountingAnewEachTime()
    {
        var random = new Random(11);
        for (int round = 0; round < 20; round++)
        {
            string[] words = [.. Enumerable.Range(0, 40).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abc"[random.Next(3)])))];
            string text = string.Join(',', Enumerable.Range(0, 300).Select(_ => words[random.Next(random.Next(1, 40))]));
            BpeVocabulary vocabulary = BpeTrainer.Train([text], 320, Special);
            Assert.Equal(TrainByHand(text, vocabulary.Merges.Count, vocabulary), vocabulary.Merges);
            Assert.True(vocabulary.Merges.Count >= 15);
        }
    }

    [Fact]
    public void Train_OfEqualText_IsEqual()
    {
        BpeVocabulary one = BpeTrainer.Train(Documents, 320, Special), two = BpeTrainer.Train(Documents.ToList(), 320, Special);
        Assert.Equal(one.Tokens, two.Tokens);
        Assert.Equal(one.Merges, two.Merges);
    }

    [Fact]
    public void Train_OfASmallerVocabulary_IsThePrefixOfALarger()
    {
        Assert.Equal(BpeTrainer.Train(Documents, 270, Special).Merges, BpeTrainer.Train(Documents, 285, Special).Merges.Take(12));
    }

    [Fact]
    public void Train_RefusesASizeWithoutRoomForBytes()
    {
        var e = Assert.Throws<ArgumentOutOfRangeException>(() => BpeTrainer.Train(Documents, 257, Special));
        Assert.Contains("258", e.Message);
    }

    [Fact]
    public void Train_RefusesEqualSpecialTokens() => Assert.Throws<ArgumentException>(() => BpeTrainer.Train(Documents, 300, ["<a>", "<a>"]));

    [Fact]
    public void Train_CanBeCancelled() =>
        Assert.Throws<OperationCanceledException>(() => BpeTrainer.Train(Documents, 300, Special, cancellation: new CancellationToken(canceled: true)));

    [Fact]
    public void Write_GivesATokenizerThatUsesTheMerges()
    {
        using var folder = new TextFolder();
        BpeVocabulary vocabulary = BpeTrainer.Train(Documents, 400, Special);
        vocabulary.Write(folder.Path, 64);
        TokenizerFile file = TokenizerFile.Load(folder.Path);
        Assert.Equal(vocabulary.Tokens, Enumerable.Range(0, file.VocabularySize).Select(file.Token));
        Assert.Equal(["low", "Ġnewest"], file.Encode("low newest").Select(file.Token));
    }

    // Counts every pair in every word before each merge. Words are single pieces between commas, which are pieces of their own.
    private static List<(string, string)> TrainByHand(string text, int merges, BpeVocabulary ids)
    {
        var words = text.Split(',').Select(word => word.Select(c => c.ToString()).ToList()).ToList();
        var order = ids.Tokens.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        var result = new List<(string, string)>();
        for (int m = 0; m < merges; m++)
        {
            var counts = new Dictionary<(string Left, string Right), int>();
            foreach (var word in words)
            {
                for (int i = 0; i + 1 < word.Count; i++)
                {
                    counts[(word[i], word[i + 1])] = counts.GetValueOrDefault((word[i], word[i + 1])) + 1;
                }
            }
            var (left, right) = counts.OrderByDescending(entry => entry.Value).ThenBy(entry => order[entry.Key.Left]).ThenBy(entry => order[entry.Key.Right]).First().Key;
            result.Add((left, right));
            foreach (var word in words)
            {
                for (int i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] == left && word[i + 1] == right)
                    {
                        word[i] = left + right;
                        word.RemoveAt(i + 1);
                    }
                }
            }
        }
        return result;
    }
}
