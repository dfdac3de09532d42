using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;

namespace LatentMoE.Export.Tests.Operators;

public sealed class AddRmsNormTests
{
    [Theory]
    [InlineData(1, 1, 16, 1e-6)]
    [InlineData(2, 7, 33, 1e-5)]
    [InlineData(3, 40, 48, 0.25)]
    public void AddRmsNorm_AnyShape_IsTheSumAndItsNorm(int batch, int tokens, int width, double epsilon) =>
        Check(epsilon, width, [batch, tokens, width], [batch, tokens, width]);

    [Fact]
    public void AddRmsNorm_RowsOfAllTokens_TakeTheShapeOfTheResidual() => Check(1e-6, 24, [15, 24], [3, 5, 24]);

    [Fact]
    public void AddRmsNorm_SmallSums_AreHeldDownByEpsilon() => Check(1e-6, 24, [2, 3, 24], [2, 3, 24], deviation: 1e-4);

    [Theory]
    [MemberData(nameof(Activations.Narrow), MemberType = typeof(Activations))]
    public void AddRmsNorm_NarrowActivations_NormTheRoundedSum(string type)
    {
        var (activations, random) = (Activations.Named(type), new RandomNumbers(7));
        // Squares of these sums are beyond float16.
        float[] x = activations.Round(random.Normal(15 * 24, 500)), residual = activations.Round(random.Normal(15 * 24, 1000)), gain = random.Normal(24, 0.3, mean: 1);

        var outputs = OperatorRunner.Run(new AddRmsNorm(1e-6, activations.Type), activations.Input(x, 15, 24), activations.Input(residual, 3, 5, 24), new(gain, 24));

        float[] sum = activations.Round([.. residual.Zip(x, (a, b) => a + b)]);
        Assert.All(outputs, output => Assert.Equal([3, 5, 24], output.Shape));
        Assert.Equal(sum, outputs[1].Floats);
        Close.Assert("y", ReferenceMath.RmsNorm(ReferenceMath.ToDouble(sum), gain, 1e-6), outputs[0].Floats, activations.Limit);
    }

    [Fact]
    public void AddRmsNorm_HasTheInterfaceOfTheTable()
    {
        var function = new AddRmsNorm(1e-6).Function();
        Assert.Equal("latentmoe.AddRmsNorm", $"{function.Domain}.{function.Name}");
        Assert.Equal(["x", "residual", "gain"], function.Input);
        Assert.Equal(["y", "sum"], function.Output);
        Assert.Equal(["epsilon"], function.Attribute);
    }

    private static void Check(double epsilon, int width, long[] shape, long[] residualShape, double deviation = 1)
    {
        var random = new RandomNumbers(6);
        var x = OperatorRunner.Floats(random, deviation, shape);
        var residual = OperatorRunner.Floats(random, 2 * deviation, residualShape);
        float[] gain = random.Normal(width, 0.3, mean: 1);

        var outputs = OperatorRunner.Run(new AddRmsNorm(epsilon), x, residual, new(gain, width));

        double[] sum = [.. ((float[])residual.Values).Zip((float[])x.Values, (a, b) => (double)a + b)];
        Assert.All(outputs, output => Assert.Equal(residualShape, output.Shape));
        Close.Assert("y", ReferenceMath.RmsNorm(sum, gain, epsilon), outputs[0].Floats);
        Close.Assert("sum", sum, outputs[1].Floats);
    }
}
