using System.Diagnostics;
using LatentMoE.Training.Tests.Trainer;

namespace LatentMoE.Training.Tests.Commands;

/// <summary>The program as a process of its own: exit codes, standard error, signals.</summary>
public sealed class ProgramTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly SmallRun _small = new();

    public void Dispose() => _small.Dispose();

    private static Process Start(params string[] args)
    {
        // A shell starts its background jobs with SIGINT ignored, and children inherit that.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string arg in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "LatentMoE.Training.dll"), .. args])
        {
            start.ArgumentList.Add(arg);
        }
        return Process.Start(start)!;
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static int Wait(Process process)
    {
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"the process was still running after {Patience}");
        }
        return process.ExitCode;
    }

    private string[] TrainArguments(int steps) =>
        ["train", "--preset", _small.PresetFile(), "--data", _small.Data, "--output", _small.Output, "--report", _small.Report, "--cache", _small.Cache, "--device=cpu", $"--steps={steps}"];

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("INT", "TERM")] // from the terminal, and from the program that started this one
    public void Train_SignalSavesAndSaysHowToGoOn(params string[] signals)
    {
        using var first = Start(TrainArguments(100_000));
        string? line;
        do
        {
            line = first.StandardOutput.ReadLine();
        }
        while (line is not null && !line.StartsWith("step ", StringComparison.Ordinal));
        Assert.NotNull(line);
        Array.ForEach(signals, signal => Signal(first, signal));
        Assert.Contains("Run the same command again to go on from there.", first.StandardOutput.ReadToEnd());
        Assert.Equal(130, Wait(first));
        Assert.Single(Directory.GetFiles(Path.Combine(_small.Output, "trainer_state"), "step-*.safetensors"));

        using var second = Start(TrainArguments(100_000));
        do
        {
            line = second.StandardOutput.ReadLine();
        }
        while (line is not null && !line.Contains("going on from step", StringComparison.Ordinal));
        Assert.NotNull(line);
        second.Kill(entireProcessTree: true);
    }

    [Fact]
    public void Train_KilledAtAnyMomentEndsWithTheSameWeights()
    {
        const int Kills = 5;
        string preset = _small.PresetFile(evalInterval: 2); // every other step saves a state, and often a best checkpoint
        string[] Arguments(string output) =>
            ["train", "--preset", preset, "--data", _small.Data, "--output", output, "--report", _small.Report, "--cache", _small.Cache, "--device=cpu", "--steps=60", "--dropout=0.1"];
        string straight = Path.Combine(_small.Root, "straight");
        using (var whole = Start(Arguments(straight)))
        {
            whole.StandardOutput.ReadToEnd();
            Assert.Equal(0, Wait(whole));
        }
        var random = new Random(1);
        for (int kill = 0; kill < Kills; kill++)
        {
            using var process = Start(Arguments(_small.Output));
            string? line;
            while (kill > 0 && (line = process.StandardOutput.ReadLine()) is not null && !line.StartsWith("training on", StringComparison.Ordinal))
            {
            }
            Thread.Sleep(random.Next(kill == 0 ? 900 : 250)); // the first dies while it prepares
            Signal(process, "KILL");
            Wait(process);
        }
        using (var last = Start(Arguments(_small.Output)))
        {
            string output = last.StandardOutput.ReadToEnd();
            Assert.True(Wait(last) == 0, output + last.StandardError.ReadToEnd());
        }
        foreach (string file in (string[])["model.safetensors", "reference.safetensors", "best/model.safetensors", "best/reference.safetensors", "trainer_state/step-00000060.safetensors"])
        {
            Assert.True(File.ReadAllBytes(Path.Combine(straight, file)).SequenceEqual(File.ReadAllBytes(Path.Combine(_small.Output, file))), $"{file} differs");
        }
    }

    [Fact]
    public void Train_ErrorsGoToStandardErrorWithExitCodeOne()
    {
        using var process = Start("train", "--preset=huge");
        string error = process.StandardError.ReadToEnd();
        Assert.Equal(1, Wait(process));
        Assert.StartsWith("error: preset \"huge\" is unknown", error);
    }

    [Fact]
    public void Invoke_UnknownArgumentsAreErrors()
    {
        using var process = Start("train", "--stepz=3");
        string output = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
        Assert.NotEqual(0, Wait(process));
        Assert.Contains("--stepz", output);
    }
}
