using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary>Several processes that work on one study: each takes the next run that no other one has, and its share of the cores.</summary>
internal static class StudyJobs
{
    private const string Threads = "OMP_NUM_THREADS", Jobs = "--jobs";

    /// <summary>Returns when all have ended; a wish to stop reaches them all.</summary>
    public static void Run(int count, ParseResult parsed, IAnsiConsole console, CancellationToken stop)
    {
        var processes = Enumerable.Range(1, count).Select(job => Start(job, count, parsed, console)).ToList();
        using var _ = stop.Register(() => processes.ForEach(Terminate));
        foreach (var process in processes)
        {
            process.WaitForExit();
            if (process.ExitCode != 0 && !stop.IsCancellationRequested)
            {
                console.WriteLine($"a job ended with exit code {process.ExitCode}, as it says above; what it leaves is done here");
            }
            process.Dispose();
        }
    }

    private static Process Start(int job, int count, ParseResult parsed, IAnsiConsole console)
    {
        // The same command, but for the number of jobs.
        var given = parsed.Tokens.Select(t => t.Value).ToList();
        for (int at; (at = given.IndexOf(Jobs)) >= 0;)
        {
            given.RemoveRange(at, 2);
        }
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(StudyJobs).Assembly.Location, .. given] : given)
        {
            start.ArgumentList.Add(argument);
        }
        start.Environment[Threads] = Math.Max(1, Environment.ProcessorCount / count).ToString(CultureInfo.InvariantCulture);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, e) => Show(e.Data);
        process.ErrorDataReceived += (_, e) => Show(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Show(string? line)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                lock (console)
                {
                    console.WriteLine($"[{job}] {line}");
                }
            }
        }
    }

    private static void Terminate(Process process)
    {
        try
        {
            using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }
}
