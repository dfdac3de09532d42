using LatentMoE.Training.Model;

namespace LatentMoE.Training.Tests.Model;

public class LoadGroupsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(int.MaxValue)]
    public void Of_RandomLoads_CoversAllAtTheLeastCost(int rowsOfAGroup)
    {
        var random = new Random(rowsOfAGroup);
        for (int round = 0; round < 50; round++)
        {
            long[] loads = [.. Enumerable.Range(0, random.Next(1, 21)).Select(_ => (long)random.Next(0, 300)).OrderDescending()];

            var groups = LoadGroups.Of(loads, rowsOfAGroup);

            int next = 0;
            foreach (var group in groups)
            {
                Assert.Equal((next, LoadGroups.Rounded(loads[next])), (group.First, group.Load));
                next += group.Count;
            }
            Assert.Equal(loads.Length, next);
            Assert.Equal(Least(loads, rowsOfAGroup), groups.Sum(group => group.Count * group.Load + rowsOfAGroup));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(129, 144)]
    [InlineData(255, 256)]
    [InlineData(257, 288)]
    [InlineData(1025, 1152)]
    public void Rounded_Load_IsAFewRowsMore(long load, long expected) => Assert.Equal(expected, LoadGroups.Rounded(load));

    // Of every way to cut the list between its eighths.
    private static long Least(long[] loads, int rowsOfAGroup)
    {
        int unit = (loads.Length + 7) / 8, units = (loads.Length + unit - 1) / unit;
        return Enumerable.Range(0, 1 << (units - 1)).Min(cuts =>
        {
            long cost = 0;
            for (int first = 0, i = 1; i <= units; i++)
            {
                if (i == units || (cuts >> (i - 1) & 1) == 1)
                {
                    cost += rowsOfAGroup + LoadGroups.Rounded(loads[first]) * (Math.Min(i * unit, loads.Length) - first);
                    first = i * unit;
                }
            }
            return cost;
        });
    }
}
