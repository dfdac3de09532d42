namespace LatentMoE.Export.Tests;

/// <summary>Comparisons that name the tensor and print the difference.</summary>
internal static class Close
{
    /// <summary>Checks number, finiteness, then the largest difference as a share of the expected range, which includes zero.</summary>
    public static void Assert(string tensor, ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double limit = 2e-6)
    {
        Xunit.Assert.True(expected.Length == actual.Length, $"{tensor}: {actual.Length} elements, expected {expected.Length}");
        double difference = 0, low = 0, high = 0;
        int at = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            Xunit.Assert.True(float.IsFinite(actual[i]), $"{tensor}: element {i} is {actual[i]}");
            (low, high) = (Math.Min(low, expected[i]), Math.Max(high, expected[i]));
            double d = Math.Abs(expected[i] - actual[i]);
            (difference, at) = d > difference ? (d, i) : (difference, at);
        }
        double range = high > low ? high - low : 1;
        Xunit.Assert.True(difference <= limit * range,
            $"{tensor}: max abs diff {difference:g3} at element {at} is {difference / range:g3} of the range {range:g3}; limit {limit:g1}");
    }

    public static void Assert(string tensor, float[] expected, ReadOnlySpan<float> actual, double limit = 2e-6) =>
        Assert(tensor, Array.ConvertAll(expected, v => (double)v), actual, limit);
}
