using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class LinearTests
{
    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void Linear_AnyBatch_EqualsTheBody(string format)
    {
        for (int batch = 1; batch <= 17; batch++)
        {
            Check(format, seed: batch, width: Formats.Quantised(format) ? 48 : 45, rows: 37, batch, 1);
        }
    }

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void Linear_AnyWidth_EqualsTheBody(string format)
    {
        foreach (int width in (int[])[16, 32, 80, 112, 272, 512, 1040])
        {
            Check(format, seed: width, width, rows: 16, 1, 1);
            Check(format, seed: width + 1, width, rows: 131, 2, 3);
        }
    }

    [Theory]
    [MemberData(nameof(Formats.Float), MemberType = typeof(Formats))]
    public void Linear_OddWidth_EqualsTheBody(string format)
    {
        foreach (int width in (int[])[1, 2, 7, 17, 33, 65, 127, 259])
        {
            Check(format, seed: width, width, rows: 1, 3, 1);
            Check(format, seed: width + 1, width, rows: 19, 1, 1);
            Check(format, seed: width + 2, width, rows: 50, 1, 21);
        }
    }

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void Linear_Prefill_EqualsTheBody(string format)
    {
        Check(format, seed: 1, width: 208, rows: 333, 1, 600);
        Check(format, seed: 2, width: 96, rows: 70, 17, 40);
    }

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void Linear_TwoAxes_EqualsTheBody(string format) => Check(format, seed: 3, width: 64, rows: 24, 5);

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void Linear_NaNInOneToken_StaysThere(string format)
    {
        var random = new RandomNumbers(4);
        float[] x = random.Normal(6 * 64, 1);
        x[70] = float.NaN;
        var op = new Linear(Formats.Of(format, 64));
        new SingleNode(op, [Tensor.Of(x, 6, 1, 64), .. Tensor.Weights(Formats.Of(format, 64), random, 0.3, 20, 64)]).Compare((isa, expected, actual) =>
        {
            Assert.All(expected[0].Floats[20..40], value => Assert.True(float.IsNaN(value)));
            Close.Assert($"y of {format} on {isa}", expected[0], actual[0]);
        });
    }

    private static void Check(string name, int seed, int width, int rows, params long[] batch)
    {
        var random = new RandomNumbers(seed);
        var format = Formats.Of(name, width);
        Tensor x = Tensor.Random(random, 1, [.. batch, width]);
        new SingleNode(new Linear(format), [x, .. Tensor.Weights(format, random, 0.3, rows, width)]).Compare((isa, expected, actual) =>
            Close.Assert($"y of {name} on {isa}, [{string.Join(", ", x.Shape)}] to {rows}", expected[0], actual[0]));
    }
}
