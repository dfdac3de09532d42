using System.Buffers;

namespace LatentMoE.Runtime.Sampling;

/// <summary>Arrays from the shared pool, for as long as a generation lasts.</summary>
internal static class Rented
{
    /// <summary>At least <paramref name="length"/> elements with leftovers in them; none for 0.</summary>
    public static T[] Array<T>(int length) => length > 0 ? ArrayPool<T>.Shared.Rent(length) : [];

    public static void Return<T>(T[] array)
    {
        if (array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(array);
        }
    }
}
