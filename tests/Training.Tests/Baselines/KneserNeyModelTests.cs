using LatentMoE.Training.Baselines;

namespace LatentMoE.Training.Tests.Baselines;

public class KneserNeyModelTests
{
    private static int[] RandomTokens(int count, int vocabulary, int seed)
    {
        var random = new Random(seed);
        // Squared uniform numbers: few tokens are frequent, and all counts of counts occur.
        return [0, .. Enumerable.Range(0, count).Select(_ => (int)(random.NextDouble() * random.NextDouble() * vocabulary))];
    }

    /// <summary>
    /// Bigrams of 0 1 2 1 2 1 1: (0,1) (1,1) once, (1,2) (2,1) twice: n1 = n2 = 2, so Y = 1/3, D1 = 1/3, D2 = 2.
    /// Continuations: 1 has three, 2 has one: D1 = 1, D3 = 3, everything goes to the uniform 1/3.
    /// After 1: total 3, given up 2 + 1/3; P(1) = (2/3 + 7/3 * 1/3) / 3.
    /// </summary>
    [Theory]
    [InlineData(0, 7.0 / 27)]
    [InlineData(1, 13.0 / 27)]
    [InlineData(2, 7.0 / 27)]
    public void Probability_IsThatCountedByHand(int token, double expected)
    {
        KneserNeyModel model = KneserNeyModel.Train([0, 1, 2, 1, 2, 1, 1], order: 2, vocabularySize: 3);
        Assert.Equal(expected, model.Probability([2, 1, token], 2), 12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Probabilities_SumToOne(int order)
    {
        const int Vocabulary = 40;
        KneserNeyModel model = KneserNeyModel.Train(RandomTokens(3_000, Vocabulary, 1), order, Vocabulary);
        int[][] contexts = [[0], [5, 0], [0, 3], [1, 1], [2, 7], [38, 39], [39, 39]];
        foreach (int[] context in contexts)
        {
            double sum = Enumerable.Range(0, Vocabulary).Sum(token => model.Probability([.. context, token], context.Length));
            Assert.Equal(1, sum, 10);
            Assert.All(Enumerable.Range(0, Vocabulary), token => Assert.True(model.Probability([.. context, token], context.Length) > 0));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Probability_AgreesWithTheFormulas(int order)
    {
        int[] train = RandomTokens(2_000, 25, 2), test = RandomTokens(300, 30, 3);
        KneserNeyModel model = KneserNeyModel.Train(train, order, 30);
        var naive = new NaiveKneserNey(train, order, 30);
        for (int at = 1; at < test.Length; at++)
        {
            Assert.Equal(naive.Probability(test, at), model.Probability(test, at), 10);
        }
    }

    [Fact]
    public void Contexts_StopAtTheSeparator()
    {
        int[] train = RandomTokens(2_000, 20, 4);
        KneserNeyModel model = KneserNeyModel.Train(train, 3, 20);
        Assert.Equal(model.Probability([0, 7], 1), model.Probability([13, 0, 7], 2));
        Assert.NotEqual(model.Probability([5, 4, 7], 2), model.Probability([13, 4, 7], 2));
    }

    [Fact]
    public void NegativeLogLikelihood_SumsOverTheTokens()
    {
        int[] train = RandomTokens(2_000, 20, 4), test = RandomTokens(100, 20, 5);
        KneserNeyModel model = KneserNeyModel.Train(train, 3, 20);
        Assert.Equal(Enumerable.Range(10, 50).Sum(at => -Math.Log(model.Probability(test, at))), model.NegativeLogLikelihood(test, 10, 50), 9);
    }

    [Fact]
    public void ARepeatingText_IsPredicted()
    {
        int[] train = [0, .. Enumerable.Range(0, 3_000).Select(i => 1 + i % 5)];
        KneserNeyModel model = KneserNeyModel.Train(train, 3, 10);
        Assert.True(model.Probability([1, 2, 3], 2) > 0.99);
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(4, 20)]
    [InlineData(2, 5)]
    [InlineData(2, 3_000_000)]
    public void Train_RefusesWhatDoesNotFit(int order, int vocabulary) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNeyModel.Train([0, 1, 9, 2], order, vocabulary));
}
