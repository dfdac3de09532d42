using LatentMoE.Benchmarks.Checks;
using LatentMoE.Runtime;

namespace LatentMoE.Benchmarks.Tests.Checks;

public class ModelCheckTests
{
    [Theory]
    [InlineData("f32")]
    [InlineData("int8")]
    public void Run_LibraryOnTheCpu_AgreesWithTheBodies(string precision)
    {
        using var package = new ExportedPackage(ExportedPackage.Config, precision);
        var result = new ModelCheck(package.Path, Device.Cpu, steps: 8).Run();
        Assert.True(result.Passed, result.ToString());
        Assert.Equal(("package", precision, "f32", 8), (result.Model, result.Precision, result.Activations, result.SameTokens));
        Assert.StartsWith("pass package: logits max abs diff ", result.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5e-4, 8, null, 0, true)]
    [InlineData(2e-4, 8, null, 0, false)]
    [InlineData(0.5e-4, 3, 1e-4, 0, true)]
    [InlineData(0.5e-4, 3, 1e-2, 0, false)]
    [InlineData(double.PositiveInfinity, 8, null, 0, false)]
    [InlineData(0.5e-4, 8, null, 1, false)]
    public void Passed_NeedsCloseLogitsExcusesCloseChoicesAndAllowsNoCopies(double difference, int same, double? gap, int copies, bool passed) =>
        Assert.Equal(passed, new ModelCheckResult("m", "f32", "f32", difference, 1e-4, same, 8, gap, copies).Passed);

    [Fact]
    public void CopiesIn_CountsBothWays() =>
        Assert.Equal(3, ModelCheck.CopiesIn("MatMul MemcpyFromHost Memcpy MemcpyToHost Add MemcpyToHost"u8));

    [Fact]
    public void Difference_IsAShareOfTheRangeAndFailsForNaN()
    {
        float[] expected = [-1, 0, 3];
        Assert.Equal(0.25, ModelCheck.Difference([-1, 1, 3], expected));
        Assert.Equal(double.PositiveInfinity, ModelCheck.Difference([float.NaN, 0, 3], expected));
        Assert.Equal(double.PositiveInfinity, ModelCheck.Difference([-1, float.NaN, 2], expected));
    }
}
