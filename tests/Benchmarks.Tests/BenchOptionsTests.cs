namespace LatentMoE.Benchmarks.Tests;

public class BenchOptionsTests
{
    [Fact]
    public void Validated_RefusesByNameAndValue()
    {
        (BenchOptions Options, string Name)[] wrong =
        [
            (new() { Runs = 0 }, "--runs is 0"), (new() { Threads = 0 }, "--threads is 0"),
            (new() { Steps = -1 }, "--steps is -1"), (new() { Seconds = 0 }, "--seconds is 0"),
            (new() { Prefill = [0] }, "--prefill is 0"), (new() { Contexts = [0, -1] }, "--context is -1"),
            (new() { Batches = [0] }, "--batch is 0"), (new() { Device = "gpu" }, "--device is gpu"), (new() { Limits = "l.json" }, "--limits is l.json"),
            (new() { Activations = ["int8"] }, "--activations is int8"), (new() { Caches = ["f64"] }, "--cache is f64"), (new() { Engines = [] }, "--engine is"),
        ];
        foreach (var (options, name) in wrong)
        {
            Assert.StartsWith(name, Assert.Throws<ArgumentException>(options.Validated).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ModelName_IsPresetWithTwinOrFolder()
    {
        Assert.Equal("bench-m", new BenchOptions().ModelName);
        Assert.Equal("small-mha-moe", new BenchOptions { Preset = "presets/small.json", Twin = "mha-moe" }.ModelName);
        Assert.Equal("mine", new BenchOptions { Model = "models/mine/" }.ModelName);
    }

    [Theory]
    [InlineData(new double[] { 3, 1, 2 }, 2)]
    [InlineData(new double[] { 4, 1, 2, 3 }, 2.5)]
    public void Median_IsTheMiddle(double[] values, double expected) => Assert.Equal(expected, Statistics.Median(values));
}
