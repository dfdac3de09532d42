namespace LatentMoE.Export.Sources;

/// <summary>Cuts a tensor into runs of whole rows that are small beside any model.</summary>
internal static class RowBlocks
{
    private const long Elements = 1 << 19;

    /// <summary>First element and number of elements of every run.</summary>
    public static IEnumerable<(long First, int Count)> Of(long[] shape)
    {
        long total = shape.Aggregate(1L, (product, extent) => checked(product * extent)), width = shape[^1];
        long step = Math.Max(Elements / width, 1) * width;
        for (long first = 0; first < total; first += step)
        {
            yield return (first, checked((int)Math.Min(step, total - first)));
        }
    }
}
