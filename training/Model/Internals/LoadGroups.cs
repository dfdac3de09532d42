using System.Numerics;

namespace LatentMoE.Training.Model;

/// <summary>Neighbouring experts that one batched product serves.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many they are.</param>
/// <param name="Load">Rows that each of them has: the largest load among them, rounded up.</param>
internal readonly record struct LoadGroup(int First, int Count, long Load);

/// <summary>
/// Experts of about the same load together. Loads and sizes of groups are rounded up: libtorch prepares a bf16 product for each
/// shape that it meets, which takes longer than the product, so that the shapes of one step must be those of the steps before.
/// </summary>
internal static class LoadGroups
{
    private const int Sizes = 8;

    /// <summary>The division into groups with the fewest rows, where a group itself counts as so many rows.</summary>
    /// <param name="loads">Rows of each expert, in descending order.</param>
    /// <param name="rowsOfAGroup">What a group costs.</param>
    public static IReadOnlyList<LoadGroup> Of(ReadOnlySpan<long> loads, int rowsOfAGroup)
    {
        int unit = (loads.Length + Sizes - 1) / Sizes, units = (loads.Length + unit - 1) / unit;
        long[] cost = new long[units + 1]; // of all experts from here on
        int[] next = new int[units]; // where the group that begins here ends
        for (int i = units - 1; i >= 0; i--)
        {
            cost[i] = long.MaxValue;
            for (int end = i + 1; end <= units; end++)
            {
                long total = rowsOfAGroup + Rounded(loads[i * unit]) * (Math.Min(end * unit, loads.Length) - i * unit) + cost[end];
                if (total < cost[i])
                {
                    (cost[i], next[i]) = (total, end);
                }
            }
        }
        List<LoadGroup> groups = [];
        for (int i = 0; i < units; i = next[i])
        {
            groups.Add(new(i * unit, Math.Min(next[i] * unit, loads.Length) - i * unit, Rounded(loads[i * unit])));
        }
        return groups;
    }

    /// <summary>Up to a multiple of 16, or of an eighth of the power of two below.</summary>
    internal static long Rounded(long load)
    {
        long step = Math.Max(16, (long)BitOperations.RoundUpToPowerOf2((ulong)load + 1) / 16);
        return (load + step - 1) / step * step;
    }
}
