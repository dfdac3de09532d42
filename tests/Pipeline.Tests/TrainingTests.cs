using System.Runtime.InteropServices;
using System.Text.Json;

namespace LatentMoE.Pipeline.Tests;

[Collection(nameof(SmallPackage))]
public sealed partial class TrainingTests(SmallPackage small) : IDisposable
{
    private const int Interrupt = 2;

    private readonly string folder = Directory.CreateTempSubdirectory("training").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [Fact]
    public async Task Train_InterruptedAndResumed_GivesTheSameWeights()
    {
        string output = Path.Combine(folder, "checkpoint"), metrics = Path.Combine(output, "metrics.jsonl");
        // A shell starts its background jobs with SIGINT ignored, and children inherit that.
        using (var process = Command.Start("env", ["--default-signal=INT", "dotnet", Repository.Training, .. small.Arguments(output)]))
        {
            var text = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            for (int wait = 0; wait < 1200 && !process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0); wait++)
            {
                await Task.Delay(100);
            }
            _ = Kill(process.Id, Interrupt);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
            Assert.True(process.ExitCode != 0, await text + await errors);
        }
        Assert.Contains("going on from step", small.Train(output).Succeeded().Output);
        string[] weights = [.. new[] { small.Checkpoint, output }.Select(path => Convert.ToHexString(
            System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(path, "model.safetensors")))))];
        Assert.Equal(weights[0], weights[1]);
    }

    [Fact]
    public void Train_Finished_DoesNothingAgain()
    {
        var before = File.GetLastWriteTimeUtc(Path.Combine(small.Checkpoint, "model.safetensors"));
        small.Train(small.Checkpoint).Succeeded();
        Assert.Equal(before, File.GetLastWriteTimeUtc(Path.Combine(small.Checkpoint, "model.safetensors")));
    }

    [Fact]
    public void Generate_Seed_DecidesTheText()
    {
        string Text(int seed) => JsonDocument.Parse(Command.Dotnet(Repository.Runtime, "generate", "--model", small.Package, "--prompt", "One day",
            "--max-tokens", "40", "--temperature", "1.0", "--seed", $"{seed}", "--json").Succeeded().LastLine).RootElement.GetProperty("text").GetString()!;
        string first = Text(7);
        Assert.Equal(first, Text(7));
        Assert.NotEqual(first, Text(8));
    }
}
