namespace LatentMoE.Training.Model;

/// <summary>Neighbouring experts that one batched product serves.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many they are.</param>
/// <param name="Load">Rows that each of them has: the largest load among them.</param>
internal readonly record struct LoadGroup(int First, int Count, long Load);

internal static class LoadGroups
{
    /// <summary>The division into groups with the fewest rows, where a group itself counts as so many rows.</summary>
    /// <param name="loads">Rows of each expert, in descending order.</param>
    /// <param name="rowsOfAGroup">What a group costs.</param>
    public static IReadOnlyList<LoadGroup> Of(ReadOnlySpan<long> loads, int rowsOfAGroup)
    {
        int count = loads.Length;
        long[] cost = new long[count + 1]; // of all experts from here on
        int[] next = new int[count]; // where the group that begins here ends
        for (int i = count - 1; i >= 0; i--)
        {
            cost[i] = long.MaxValue;
            for (int end = i + 1; end <= count; end++)
            {
                long total = rowsOfAGroup + loads[i] * (end - i) + cost[end];
                if (total < cost[i])
                {
                    (cost[i], next[i]) = (total, end);
                }
            }
        }
        List<LoadGroup> groups = [];
        for (int i = 0; i < count; i = next[i])
        {
            groups.Add(new(i, next[i] - i, loads[i]));
        }
        return groups;
    }
}
