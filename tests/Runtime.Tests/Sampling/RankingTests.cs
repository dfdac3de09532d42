using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class RankingTests
{
    [Fact]
    public void Key_OrdersByLogitThenByLowerId()
    {
        float[] ascending = [float.NegativeInfinity, -1e30f, -2, -1e-30f, 0, 1e-30f, 2, 1e30f];
        for (int i = 1; i < ascending.Length; i++)
        {
            Assert.True(Ranking.Key(ascending[i], 9) > Ranking.Key(ascending[i - 1], 0), $"{ascending[i]} after {ascending[i - 1]}");
        }
        Assert.True(Ranking.Key(1, 3) > Ranking.Key(1, 4));
        Assert.Equal(Ranking.Key(0f, 5), Ranking.Key(-0f, 5));
        Assert.Equal(123_456, Ranking.Id(Ranking.Key(-7, 123_456)));
    }

    [Fact]
    public void Select_ByCount_IsTheSortedPrefix()
    {
        var random = new Random(1);
        for (int trial = 0; trial < 300; trial++)
        {
            var keys = Keys(random, random.Next(1, 200), levels: random.Next(1, 40));
            int k = random.Next(1, keys.Length + 5);
            var expected = keys.OrderDescending().Take(k).ToHashSet();
            int count = Ranking.Select(keys, [], k);
            Assert.True(expected.SetEquals(keys[..count]), $"trial {trial}: top {k} of {keys.Length}");
        }
    }

    [Fact]
    public void Select_ByMass_IsTheShortestSortedPrefixThatHoldsIt()
    {
        var random = new Random(2);
        for (int trial = 0; trial < 300; trial++)
        {
            var keys = Keys(random, random.Next(1, 200), levels: random.Next(1, 40));
            // Whole weights add up without rounding, in whatever order.
            float[] weights = Enumerable.Range(0, keys.Length).Select(_ => (float)random.Next(0, 5)).ToArray();
            double need = random.Next(1, 2 + (int)weights.Sum());
            var sorted = keys.OrderDescending().ToArray();
            double mass = 0;
            var expected = sorted.TakeWhile(key => (mass += weights[Ranking.Id(key)]) - weights[Ranking.Id(key)] < need).ToHashSet();
            int count = Ranking.Select(keys, weights, need);
            Assert.True(expected.SetEquals(keys[..count]), $"trial {trial}: mass {need} of {weights.Sum()}");
        }
    }

    private static ulong[] Keys(Random random, int count, int levels) =>
        Enumerable.Range(0, count).Select(id => Ranking.Key(random.Next(levels) - levels / 2, id)).ToArray();
}
