using System.Diagnostics;

namespace LatentMoE.Runtime.Tests.Cli;

/// <summary>The program, as a shell would start it.</summary>
internal static class CliProcess
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "latentmoe.dll");

    // A shell starts its background jobs with SIGINT ignored, and children inherit that.
    public static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Program, .. arguments])
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
    })!;

    /// <summary>Runs it to its end, with lines for its input.</summary>
    public static async Task<(int Code, string Output, string Error)> Run(string[] arguments, params string[] input)
    {
        using var process = Start(arguments);
        foreach (string line in input)
        {
            await process.StandardInput.WriteLineAsync(line);
        }
        return await End(process);
    }

    public static async Task<(int Code, string Output, string Error)> End(Process process)
    {
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Sends INT, TERM and their like.</summary>
    public static void Signal(this Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString()]);
        kill.WaitForExit();
    }
}
