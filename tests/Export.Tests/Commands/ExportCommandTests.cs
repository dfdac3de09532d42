using System.Diagnostics;
using System.Text.Json.Nodes;
using LatentMoE.Tests.Support;

namespace LatentMoE.Export.Tests.Commands;

public sealed class ExportCommandTests
{
    [Fact]
    public void Export_ACheckpoint_ListsFilesAndParity()
    {
        using var folder = new CheckpointFolder();
        var (code, output, error) = Run("export", "--checkpoint", folder.Checkpoint, "--output", folder.Output);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("model.onnx.data", output, StringComparison.Ordinal);
        Assert.Contains("parity holds: 2 x 12 tokens", output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder.Output, "model.onnx")));
    }

    [Fact]
    public void Export_RandomWeights_NeedNoCheckpoint()
    {
        using var folder = new TemporaryFolder();
        var (code, output, error) = Run("export", "--random-weights", "--preset", "tiny", "--precision", "int8", "--cache", "f16", "--output", folder["package"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("random weights have no reference", output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.True(File.Exists(folder["package/model.onnx.data"]));
    }

    [Fact]
    public void Export_Activations_ChooseTheTypeOfWeightsAndCacheToo()
    {
        using var folder = new CheckpointFolder();
        var (code, output, error) = Run("export", "--checkpoint", folder.Checkpoint, "--activations", "bf16", "--output", folder.Output);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("choice: the likeliest next token", output, StringComparison.Ordinal);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Output, "manifest.json")))!;
        Assert.All(new[] { "precision", "activations", "cache" }, key => Assert.Equal("bf16", (string?)manifest[key]));
    }

    [Fact]
    public void Export_APresetOfACheckpoint_IsAnError()
    {
        var (code, _, error) = Run("export", "--checkpoint", "a", "--preset", "tiny", "--output", "b");
        Assert.Equal(1, code);
        Assert.Contains("belong to --random-weights", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Export_NoCheckpoint_IsOneErrorLine()
    {
        var (code, _, error) = Run("export", "--checkpoint", "absent", "--output", "nowhere");
        Assert.Equal(1, code);
        Assert.StartsWith("error: absent", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
        Assert.False(Directory.Exists("nowhere"));
    }

    [Fact]
    public void Export_UnknownArgument_IsAnError()
    {
        var (code, _, error) = Run("export", "--checkpoint", "a", "--output", "b", "--fast");
        Assert.Equal(1, code);
        Assert.Contains("--fast", error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "LatentMoE.Export.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
