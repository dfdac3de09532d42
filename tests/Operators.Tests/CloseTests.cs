using Xunit.Sdk;

namespace LatentMoE.Operators.Tests;

/// <summary>The comparison itself: a fault must not pass it.</summary>
public sealed class CloseTests
{
    private static readonly float[] expected = [1, -2, 3, float.NaN, float.PositiveInfinity];

    [Fact]
    public void Assert_Rounding_Passes() => Close.Assert("y", expected, [1, -2.00001f, 3, float.NaN, float.PositiveInfinity]);

    [Theory]
    [InlineData(1, -2.001f, "y: max abs diff 0.001 at element 1")]
    [InlineData(1, float.NaN, "y: element 1 is NaN, expected -2")]
    [InlineData(3, 4f, "y: element 3 is 4, expected NaN")]
    [InlineData(4, float.NegativeInfinity, "expected Infinity")]
    public void Assert_PlantedFault_Fails(int at, float value, string message)
    {
        float[] actual = [.. expected];
        actual[at] = value;
        var error = Assert.ThrowsAny<XunitException>(() => Close.Assert("y", expected, actual));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Assert_OtherShape_Fails()
    {
        var error = Assert.ThrowsAny<XunitException>(() => Close.Assert("y", Tensor.Of([1f, 2], 2), Tensor.Of([1f, 2], 1, 2)));
        Assert.Contains("y: [1, 2], expected [2]", error.Message);
    }
}
