using LatentMoE.Benchmarks.Limits;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Benchmarks.Tests.Limits;

public class GpuLimitsTests
{
    [Fact]
    public void Measure_GivesTheArithmeticOfTheActivations()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["limits.json"], """{"read_bytes_per_second": 4e12, "f32_flops_per_second": 5e13, "f16_flops_per_second": 6e14}""");
        using var limits = new GpuLimits(folder["limits.json"]);
        Assert.Equal(new MachineLimits(4e12, 4e12, 6e14, "f16"), limits.Measure("f16"));
        Assert.Equal(5e13, limits.Measure("f32")!.FlopsPerSecond);
        Assert.Contains("bf16_flops_per_second", Assert.Throws<CheckpointException>(() => limits.Measure("bf16")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Measure_WithoutAFile_KnowsNone()
    {
        using var limits = new GpuLimits(null);
        Assert.Null(limits.Measure("f16"));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData(null)]
    public void Constructor_RefusesOtherFiles(string? content)
    {
        using var folder = new TemporaryFolder();
        if (content is not null)
        {
            File.WriteAllText(folder["limits.json"], content);
        }
        Assert.Contains("limits.json", Assert.Throws<CheckpointException>(() => new GpuLimits(folder["limits.json"])).Message, StringComparison.Ordinal);
    }
}
