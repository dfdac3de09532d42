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
            long[] loads = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => (long)random.Next(0, 30)).OrderDescending()];

            var groups = LoadGroups.Of(loads, rowsOfAGroup);

            int next = 0;
            foreach (var group in groups)
            {
                Assert.Equal((next, loads[next]), (group.First, group.Load));
                next += group.Count;
            }
            Assert.Equal(loads.Length, next);
            Assert.Equal(Least(loads, rowsOfAGroup), groups.Sum(group => group.Count * group.Load + rowsOfAGroup));
        }
    }

    // Of every way to cut the list.
    private static long Least(long[] loads, int rowsOfAGroup) => Enumerable.Range(0, 1 << (loads.Length - 1)).Min(cuts =>
    {
        long cost = 0;
        for (int first = 0, i = 1; i <= loads.Length; i++)
        {
            if (i == loads.Length || (cuts >> (i - 1) & 1) == 1)
            {
                cost += rowsOfAGroup + loads[first] * (i - first);
                first = i;
            }
        }
        return cost;
    });
}
