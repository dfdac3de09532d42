using LatentMoE.Checkpoints;

namespace LatentMoE.Tests.Support.Field;

/// <summary>Numbers to the bytes of a stored type, and the numbers that these bytes stand for, by the types' definitions.</summary>
internal static class Rounding
{
    // Sign, exponent e of four bits, mantissa m of three: 2^(e − 7) · (1 + m / 8), or 2^(−6) · m / 8 for e = 0; all ones is no number.
    private static readonly double[] eights = [.. Enumerable.Range(0, 127).Select(bits =>
        bits < 8 ? Math.Pow(2, -6) * bits / 8 : Math.Pow(2, bits / 8 - 7) * (1 + bits % 8 / 8.0))];

    /// <summary>The largest number of F8_E4M3.</summary>
    public static double LargestEight => eights[^1];

    public static (byte[] Bytes, double Value) Store(double x, SafetensorsType type) => type switch
    {
        SafetensorsType.F32 => (BitConverter.GetBytes((float)x), (float)x),
        SafetensorsType.F16 => (BitConverter.GetBytes((Half)x), (double)(Half)x),
        SafetensorsType.BF16 => Brain((float)x),
        SafetensorsType.F8_E4M3 => Eight(x),
        SafetensorsType.F8_E8M0 => PowerOfTwo(x),
        _ => throw new ArgumentException($"{type}"),
    };

    private static (byte[], double) Brain(float x)
    {
        // float32 has 16 more bits of mantissa.
        int exponent = x == 0 ? 0 : (int)Math.Floor(Math.Log2(Math.Abs(x)));
        float rounded = (float)(Math.Round(x / Math.Pow(2, exponent - 7)) * Math.Pow(2, exponent - 7));
        return (BitConverter.GetBytes(rounded)[2..], rounded);
    }

    private static (byte[], double) Eight(double x)
    {
        int found = Array.BinarySearch(eights, Math.Abs(x)), above = Math.Min(found < 0 ? ~found : found, eights.Length - 1);
        int nearest = above > 0 && Math.Abs(x) - eights[above - 1] < eights[above] - Math.Abs(x) ? above - 1 : above;
        return ([(byte)(nearest + (x < 0 ? 128 : 0))], x < 0 ? -eights[nearest] : eights[nearest]);
    }

    private static (byte[], double) PowerOfTwo(double x)
    {
        int exponent = (int)Math.Ceiling(Math.Log2(x));
        return ([(byte)(exponent + 127)], Math.Pow(2, exponent));
    }
}
