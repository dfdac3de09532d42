namespace LatentMoE.Runtime.Tests.Decoding;

/// <summary>Compares logits by their largest difference, relative to the spread of the expected ones.</summary>
internal static class Logits
{
    public static void Match(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what, float tolerance = 2e-5f)
    {
        Assert.Equal(expected.Length, actual.Length);
        float low = float.MaxValue, high = float.MinValue, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]), $"{what}: logits[{i}] is {actual[i]}");
            (low, high) = (Math.Min(low, expected[i]), Math.Max(high, expected[i]));
            difference = Math.Max(difference, Math.Abs(expected[i] - actual[i]));
        }
        Assert.True(difference <= tolerance * (high - low), $"{what}: logits differ by {difference:E2} in a range of {high - low:F2}");
    }
}
