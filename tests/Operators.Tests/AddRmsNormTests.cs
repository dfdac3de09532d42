using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class AddRmsNormTests
{
    [Fact]
    public void AddRmsNorm_AnyWidth_EqualsTheBody()
    {
        foreach (int width in (int[])[1, 2, 7, 16, 33, 48, 100, 257, 512])
        {
            Check(width, [1, 1, width], [1, 1, width]);
            Check(width, [3, 5, width], [3, 5, width]);
        }
    }

    [Fact]
    public void AddRmsNorm_RowsOfAllTokens_EqualTheBody()
    {
        Check(64, [1, 64], [1, 1, 64]);
        Check(64, [34, 64], [2, 17, 64]);
        Check(64, [2, 17, 64], [34, 64]);
    }

    [Fact]
    public void AddRmsNorm_Prefill_EqualsTheBody() => Check(80, [700, 80], [7, 100, 80]);

    [Theory]
    [InlineData(0)]
    [InlineData(1e-5)]
    [InlineData(100)]
    public void AddRmsNorm_AnyEpsilon_EqualsTheBody(double epsilon) => Check(32, [4, 32], [1, 4, 32], epsilon, deviation: 1e-3);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(1e30f)] // whose square no float holds
    public void AddRmsNorm_OneTokenOutOfRange_StaysAlone(float value)
    {
        var random = new RandomNumbers(2);
        float[] x = random.Normal(6 * 40, 1);
        x[2 * 40 + 39] = value;
        new SingleNode(new AddRmsNorm(1e-6), Tensor.Of(x, 6, 40), Tensor.Random(random, 1, 2, 3, 40), Tensor.Random(random, 1, 40)).Compare((isa, expected, actual) =>
        {
            Assert.All(actual[0].Floats.Where((_, i) => i / 40 != 2), y => Assert.True(float.IsFinite(y) && y != 0, $"{y} on {isa}"));
            Close.Assert($"y beside {value} on {isa}", expected[0], actual[0]);
            Close.Assert($"sum beside {value} on {isa}", expected[1], actual[1], limit: 0);
        });
    }

    private static void Check(int width, long[] shape, long[] residualShape, double epsilon = 1e-6, double deviation = 1)
    {
        var random = new RandomNumbers(width + (int)residualShape.Sum());
        Tensor x = Tensor.Random(random, deviation, shape), residual = Tensor.Random(random, 2 * deviation, residualShape);
        Tensor gain = Tensor.Of(random.Normal(width, 0.3, mean: 1), width);
        new SingleNode(new AddRmsNorm(epsilon), x, residual, gain).Compare((isa, expected, actual) =>
        {
            string name = $"x [{string.Join(", ", shape)}], residual [{string.Join(", ", residualShape)}] on {isa}";
            Close.Assert($"y of {name}", expected[0], actual[0]);
            Close.Assert($"sum of {name}", expected[1], actual[1], limit: 0);
        });
    }
}
