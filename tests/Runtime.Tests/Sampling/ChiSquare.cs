namespace LatentMoE.Runtime.Tests.Sampling;

/// <summary>Pearson's test of counts against probabilities. Seeds are fixed, so a pass stays a pass.</summary>
internal static class ChiSquare
{
    /// <summary>Fails where chance explains the difference with less than about one in ten thousand, or where the impossible happened.</summary>
    public static void Matches(double[] probabilities, int[] counts)
    {
        double draws = counts.Sum(), statistic = 0;
        int cells = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (probabilities[i] == 0)
            {
                Assert.True(counts[i] == 0, $"{i} was drawn {counts[i]} times at probability 0");
                continue;
            }
            double expected = probabilities[i] * draws;
            statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
            cells++;
        }
        // Wilson and Hilferty's approximation of the quantile at 1 - 1e-4 (3.719 deviations)
        double freedom = Math.Max(cells - 1, 1), spread = 2 / (9 * freedom), limit = freedom * Math.Pow(1 - spread + 3.719 * Math.Sqrt(spread), 3);
        Assert.True(statistic < limit, $"chi-square {statistic:F1} over {cells} cells; the limit is {limit:F1}");
    }
}
