using LatentMoE.Benchmarks.Models;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Benchmarks.Tests.Models;

public class RandomPackagesTests
{
    [Fact]
    public void Get_ExportsOnceUntilThePresetIsNewer()
    {
        using var folder = new TemporaryFolder();
        string preset = folder["small.json"];
        File.WriteAllText(preset, $$"""{ "description": "small", "model": {{ExportedPackage.Config.ToJson()}}, "training": {} }""");
        var packages = new RandomPackages(new BenchOptions { Preset = preset, Packages = folder["models"] });
        string package = packages.Get("int8", "f32", "f16"), manifest = Path.Combine(package, "manifest.json");
        Assert.Equal("int8", RandomPackages.Precision(package));
        Assert.Equal("f16", PackageModel.Load(package).Cache);
        var written = File.GetLastWriteTimeUtc(manifest);
        Assert.Equal(package, packages.Get("int8", "f32", "f16"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(manifest));
        File.SetLastWriteTimeUtc(manifest, File.GetLastWriteTimeUtc(preset).AddSeconds(-1));
        packages.Get("int8", "f32", "f16");
        Assert.True(File.GetLastWriteTimeUtc(manifest) >= written, "the package was not exported again");
    }

    [Theory]
    [InlineData("f16", "int8")]
    [InlineData("bf16", "bf16")]
    public void Get_NarrowActivations_HaveAFolderAndACacheOfTheirOwn(string activations, string precision)
    {
        using var folder = new TemporaryFolder();
        string preset = folder["small.json"];
        File.WriteAllText(preset, $$"""{ "description": "small", "model": {{ExportedPackage.Config.ToJson()}}, "training": {} }""");
        string package = new RandomPackages(new BenchOptions { Preset = preset, Packages = folder["models"] }).Get(precision, activations, activations);
        Assert.Equal($"small-{precision}-activations-{activations}", Path.GetFileName(package));
        var model = PackageModel.Load(package);
        Assert.Equal((activations, activations), (model.Activations, model.Cache));
    }

    [Fact]
    public void Load_RefusesAFolderWithoutAModel()
    {
        using var folder = new TemporaryFolder();
        var missing = Assert.Throws<CheckpointException>(() => PackageModel.Load(folder.Path));
        Assert.Contains("--model wants", missing.Message, StringComparison.Ordinal);
        File.WriteAllText(folder["model.onnx"], "no protobuf at all");
        var damaged = Assert.Throws<CheckpointException>(() => PackageModel.Load(folder.Path));
        Assert.Contains("not an ONNX model", damaged.Message, StringComparison.Ordinal);
    }
}
