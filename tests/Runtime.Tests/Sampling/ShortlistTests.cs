using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class ShortlistTests
{
    [Fact]
    public void Largest_IsTheSortedPrefix()
    {
        var random = new Random(1);
        for (int trial = 0; trial < 300; trial++)
        {
            var logits = Logits(random, random.Next(1, 500), levels: random.Next(1, 100));
            int k = random.Next(1, trial % 2 == 0 ? 10 : logits.Length + 5);
            var expected = logits.Select(Ranking.Key).OrderDescending().Take(k).ToHashSet();
            ulong[] actual = Shortlist.Largest(logits, k, new ulong[logits.Length]).ToArray();
            Assert.True(expected.SetEquals(actual) && expected.Count == actual.Length, $"trial {trial}: {k} of {logits.Length}");
        }
    }

    [Fact]
    public void AtLeast_GivesTheKeysInTheOrderOfTheIds()
    {
        var random = new Random(2);
        for (int trial = 0; trial < 100; trial++)
        {
            int count = random.Next(1, 200);
            float[] logits = Logits(random, count, levels: 50), values = Logits(random, count, levels: 9);
            float least = values[random.Next(count)];
            Assert.Equal(logits.Select(Ranking.Key).Where((_, id) => values[id] >= least), Shortlist.AtLeast(logits, values, least, new ulong[count]).ToArray());
        }
    }

    private static float[] Logits(Random random, int count, int levels) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.Next(levels) - levels / 2))];
}
