using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Export.Tests.Operators;

public sealed class LinearTests
{
    [Theory]
    [InlineData(1, 1, 8, 5)]
    [InlineData(2, 3, 7, 16)]
    [InlineData(3, 40, 33, 12)]
    public void Linear_AnyShape_IsTheProduct(int batch, int tokens, int width, int outputs)
    {
        var random = new RandomNumbers(7);
        var x = OperatorRunner.Floats(random, 1, batch, tokens, width);
        var weight = OperatorRunner.Floats(random, 0.3, outputs, width);

        var y = OperatorRunner.Run(new Linear(), x, weight)[0];

        Assert.Equal([batch, tokens, outputs], y.Shape);
        Close.Assert("y", ReferenceMath.Linear(ReferenceMath.ToDouble((float[])x.Values), (float[])weight.Values, width), y.Floats);
    }

    [Fact]
    public void Linear_TwoDimensions_IsTheProduct()
    {
        var random = new RandomNumbers(8);
        var x = OperatorRunner.Floats(random, 1, 6, 10);
        var weight = OperatorRunner.Floats(random, 0.3, 4, 10);

        var y = OperatorRunner.Run(new Linear(), x, weight)[0];

        Assert.Equal([6, 4], y.Shape);
        Close.Assert("y", ReferenceMath.Linear(ReferenceMath.ToDouble((float[])x.Values), (float[])weight.Values, 10), y.Floats);
    }

    [Theory]
    [MemberData(nameof(StoredFormats.All), MemberType = typeof(StoredFormats))]
    public void Linear_EveryFormat_IsTheProductWithTheStoredValues(string name)
    {
        var (format, random) = (StoredFormats.Named(name), new RandomNumbers(9));
        var x = OperatorRunner.Floats(random, 1, 3, 5, 64);
        var (weight, values) = OperatorRunner.Stored(format, random.Normal(24 * 64, 0.3), 24, 64);

        var y = OperatorRunner.Run(new Linear(format), [x, .. weight])[0];

        Assert.Equal([3, 5, 24], y.Shape);
        Close.Assert("y", ReferenceMath.Linear(ReferenceMath.ToDouble((float[])x.Values), values, 64), y.Floats);
    }

    [Theory]
    [InlineData("f16", "f16")]
    [InlineData("f16", "int8")]
    [InlineData("f16", "int4 in 16")]
    [InlineData("bf16", "bf16")]
    [InlineData("bf16", "int8 in 16")]
    [InlineData("bf16", "int4")]
    public void Linear_NarrowActivations_RoundTheFloat32Product(string type, string stored)
    {
        var (activations, format, random) = (Activations.Named(type), StoredFormats.Named(stored), new RandomNumbers(10));
        // Products of float16 numbers of this size are beyond float16; their sums are not.
        float[] x = activations.Round([.. Enumerable.Range(0, 3 * 5 * 64).Select(i => i % 2 == 0 ? 30000f : -30000f).Zip(random.Normal(3 * 5 * 64, 100), (a, b) => a + b)]);
        float[] rows = [.. Enumerable.Range(0, 24 * 32).Select(_ => (float)random.Normal()).SelectMany(v => new[] { 4 * v, 4 * v })];
        var (weight, values) = OperatorRunner.Stored(format, rows, 24, 64);

        var y = OperatorRunner.Run(new Linear(format, activations.Type), [activations.Input(x, 3, 5, 64), .. weight])[0];

        Assert.Equal([3, 5, 24], y.Shape);
        Close.Assert("y", ReferenceMath.Linear(ReferenceMath.ToDouble(x), values, 64), y.Floats, activations.Limit);
    }

    [Theory]
    [InlineData("f16", "Linear", "x weight")]
    [InlineData("int8", "LinearInt8", "x weight scales")]
    [InlineData("int4", "LinearInt4", "x weight scales")]
    public void Linear_OfAFormat_HasTheNameAndInputsOfTheTable(string format, string name, string inputs)
    {
        var linear = new Linear(StoredFormats.Named(format));
        Assert.Equal((name, inputs), (linear.Name, string.Join(' ', linear.Inputs)));
    }
}
