namespace LatentMoE.Checkpoints.Internals;

/// <summary>The values of the eight-bit types, by their bits.</summary>
internal static class Float8
{
    public static float[] E4M3 { get; } = [.. Enumerable.Range(0, 256).Select(FromE4M3)];

    public static float[] E8M0 { get; } = [.. Enumerable.Range(0, 256).Select(bits => bits == 255 ? float.NaN : MathF.ScaleB(1, bits - 127))];

    private static float FromE4M3(int bits)
    {
        int exponent = bits >> 3 & 15, mantissa = bits & 7;
        float magnitude = (bits & 127) == 127 ? float.NaN
            : exponent == 0 ? MathF.ScaleB(mantissa, -9) : MathF.ScaleB(8 + mantissa, exponent - 10);
        return bits > 127 ? -magnitude : magnitude;
    }
}
