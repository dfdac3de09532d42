namespace LatentMoE.Operators.Tests;

/// <summary>Comparisons that name the tensor and print the difference.</summary>
internal static class Close
{
    /// <summary>
    /// Checks type, shape, that NaN and infinities are at the same places, then the largest difference as a share of the expected
    /// range, which includes zero.
    /// </summary>
    public static void Assert(string name, Tensor expected, Tensor actual, double limit = 1e-5)
    {
        Xunit.Assert.True(expected.Type == actual.Type, $"{name}: {actual.Type}, expected {expected.Type}");
        Xunit.Assert.True(expected.Shape.SequenceEqual(actual.Shape),
            $"{name}: [{string.Join(", ", actual.Shape)}], expected [{string.Join(", ", expected.Shape)}]");
        Assert(name, expected.Floats, actual.Floats, limit);
    }

    public static void Assert(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double limit = 1e-5)
    {
        Xunit.Assert.True(expected.Length == actual.Length, $"{name}: {actual.Length} elements, expected {expected.Length}");
        double difference = 0, low = 0, high = 0;
        int at = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            if (!float.IsFinite(expected[i]) || !float.IsFinite(actual[i]))
            {
                Xunit.Assert.True(expected[i].Equals(actual[i]), $"{name}: element {i} is {actual[i]}, expected {expected[i]}");
                continue;
            }
            (low, high) = (Math.Min(low, expected[i]), Math.Max(high, expected[i]));
            double d = Math.Abs((double)expected[i] - actual[i]);
            (difference, at) = d > difference ? (d, i) : (difference, at);
        }
        Xunit.Assert.True(difference <= limit * (high - low),
            $"{name}: max abs diff {difference:g3} at element {at} is {difference / (high - low):g3} of the range {high - low:g3}; limit {limit:g1}");
    }
}
