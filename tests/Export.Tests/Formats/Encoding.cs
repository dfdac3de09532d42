using LatentMoE.Export.Formats;

namespace LatentMoE.Export.Tests.Formats;

/// <summary>Rows through a format and back.</summary>
internal static class Encoding
{
    public static EncodedRows Encode(WeightFormat format, params float[] values) => format.Encode(new WeightRows("tensor w", 0, values));

    public static float[] RoundTrip(WeightFormat format, params float[] values) => format.Decode(Encode(format, values));

    /// <summary>A block of zeros that begins with the given values.</summary>
    public static float[] Block(int length, params float[] values) => [.. values, .. new float[length - values.Length]];

    public static double RootMeanSquare(float[] actual, float[] expected) =>
        Math.Sqrt(actual.Zip(expected, (a, b) => ((double)a - b) * ((double)a - b)).Average());
}
