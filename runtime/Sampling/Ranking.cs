namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Orders tokens by logit, then by lower id, as unsigned keys: a larger key is a more likely token and no two are equal.
/// Finds how many of the first in that order hold a given mass, in expected linear time and without sorting.
/// </summary>
internal static class Ranking
{
    /// <summary>The token's key: the logit's bits in an order that integers share, then the id's complement.</summary>
    public static ulong Key(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f); // -0 becomes +0: they are equal logits
        uint ordered = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)ordered << 32) | ~(uint)id;
    }

    public static int Id(ulong key) => (int)~(uint)key;

    /// <summary>
    /// Moves to the front, in no particular order, the fewest of the largest keys whose weights (1 each where
    /// <paramref name="weights"/> is empty) sum to at least <paramref name="need"/>; returns their number. The smallest of
    /// them stands last.
    /// </summary>
    public static int Select(Span<ulong> keys, ReadOnlySpan<float> weights, double need)
    {
        int low = 0, high = keys.Length;
        while (low < high)
        {
            int pivot = Partition(keys, low, high);
            double above = 0;
            for (int i = low; i < pivot; i++)
            {
                above += Weight(keys[i], weights);
            }
            double with = above + Weight(keys[pivot], weights);
            if (above >= need)
            {
                high = pivot;
            }
            else if (with >= need)
            {
                return pivot + 1;
            }
            else
            {
                need -= with;
                low = pivot + 1;
            }
        }
        return low;
    }

    private static double Weight(ulong key, ReadOnlySpan<float> weights) => weights.IsEmpty ? 1 : weights[Id(key)];

    // Larger keys before the median of three, smaller ones after it; returns where it came to stand.
    private static int Partition(Span<ulong> keys, int low, int high)
    {
        int middle = low + (high - low) / 2, last = high - 1;
        Order(keys, low, middle);
        Order(keys, low, last);
        Order(keys, middle, last);
        (keys[middle], keys[last]) = (keys[last], keys[middle]);
        ulong pivot = keys[last];
        int store = low;
        for (int i = low; i < last; i++)
        {
            // Without a branch, which would be mispredicted half of the time: a swap among smaller keys does no harm.
            ulong key = keys[i];
            (keys[i], keys[store]) = (keys[store], key);
            store += key > pivot ? 1 : 0;
        }
        (keys[store], keys[last]) = (keys[last], keys[store]);
        return store;
    }

    private static void Order(Span<ulong> keys, int first, int second)
    {
        if (keys[first] < keys[second])
        {
            (keys[first], keys[second]) = (keys[second], keys[first]);
        }
    }
}
