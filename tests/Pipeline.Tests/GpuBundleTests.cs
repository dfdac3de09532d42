using System.Text.Json;

namespace LatentMoE.Pipeline.Tests;

/// <summary>The bundle for a CUDA host, made here and run here: politely without a driver, and its native half on a driver that models one.</summary>
public sealed class GpuBundleTests : IClassFixture<GpuBundle>
{
    private readonly GpuBundle bundle;

    public GpuBundleTests(GpuBundle bundle) => this.bundle = bundle;

    [Fact]
    public void Run_WithoutADriver_SaysSoAndEndsWithTwo()
    {
        var outcome = bundle.Run(driver: null, bundle.Results("none"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("No GPU can be used on this machine, so nothing was run: no NVIDIA driver", outcome.Output);
        Assert.False(Directory.Exists(bundle.Results("none")));
    }

    [Theory]
    [InlineData("--fast")]
    [InlineData("--only=facts,dance")]
    public void Run_UnknownOption_IsRefused(string option)
    {
        var outcome = bundle.Run(driver: null, bundle.Results("refused"), option);
        Assert.Equal(64, outcome.ExitCode);
        Assert.Contains("there is no", outcome.Error);
    }

    [Fact]
    public void Unpack_PutsThePartsTogether_AndFindsDamage()
    {
        string copy = bundle.CopyOfArchive(), target = Path.Combine(copy, "unpacked");
        Command.Run("sh", [Path.Combine(copy, "unpack.sh"), target]).Succeeded();
        string[] Files(string folder) =>
            [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Order()];
        Assert.Equal(Files(bundle.Folder), Files(Path.Combine(target, Path.GetFileName(bundle.Folder))));
        string part = Directory.GetFiles(copy, "*.tar.xz*").Order().First();
        byte[] bytes = File.ReadAllBytes(part);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(part, bytes);
        var damaged = Command.Run("sh", [Path.Combine(copy, "unpack.sh"), target]);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains("missing or damaged", damaged.Error);
    }

    [Fact]
    public void Bundle_HoldsAnImageOfEveryKernelFileForEveryTarget()
    {
        string[] sources = [.. Directory.GetFiles(Path.Combine(Repository.Root, "runtime/ops/cuda/kernels"), "*.cu")
            .Select(Path.GetFileNameWithoutExtension).Append("bench_limits").Order()!];
        foreach (string target in (string[])["sm_80", "sm_90"])
        {
            Assert.Equal(sources, Directory.GetFiles(Path.Combine(bundle.Folder, "ptx", target), "*.ptx").Select(Path.GetFileNameWithoutExtension).Order());
        }
    }

    [Fact]
    public void Run_OnAModelledDevice_TestsAndTimesTheOperators()
    {
        string folder = bundle.Results("modelled");
        var outcome = bundle.Run(bundle.ModelledDriver, folder, "--quick", "--shape=tiny", "--only=facts,tests,model,bench", "--tests=add_rms_norm_no_rows");
        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Error + GpuBundle.Logs(folder));
        using var results = JsonDocument.Parse(File.ReadAllBytes(Directory.GetFiles(folder, "*.json").Single()));
        Assert.Equal("9.0", results.RootElement.GetProperty("device").GetProperty("compute_capability").GetString());
        Assert.Equal(["facts passed", "tests passed", "model skipped", "bench passed"], results.RootElement.GetProperty("steps").EnumerateArray()
            .Select(step => $"{step.GetProperty("step").GetString()} {step.GetProperty("outcome").GetString()}"));
        Assert.Empty(results.RootElement.GetProperty("failed_tests").EnumerateArray());
        var rows = results.RootElement.GetProperty("operators").EnumerateArray().ToArray();
        Assert.All(rows, row => Assert.False(row.TryGetProperty("skipped", out var why), $"{why}"));
        // Every operator and both kinds of step, for five types at three points.
        Assert.Equal(5 * 3 * 11, rows.Length);
        Assert.All(rows, row => Assert.True(row.GetProperty("microseconds").GetDouble() > 0));
        string table = File.ReadAllText(Directory.GetFiles(folder, "*.md").Single());
        Assert.Contains("| tests | passed |", table);
        Assert.Contains("| latent_attention | yes |", table);
    }

    [Fact]
    public void Run_WithAFailingTest_GoesOnAndEndsWithOne()
    {
        var outcome = bundle.Run(bundle.ModelledDriver, bundle.Results("failing"), "--only=tests,facts", "--tests=no_such_test");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("failed: tests", outcome.Output);
        Assert.Contains("facts      passed", outcome.Output);
    }
}
