using System.Diagnostics;
using System.Text;

namespace LatentMoE.Pipeline.Tests;

/// <summary>What a program wrote and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public Outcome Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException($"exit code {ExitCode}\n{Output}\n{Error}");

    /// <summary>The last line of standard output.</summary>
    public string LastLine => Output.TrimEnd().Split('\n')[^1];
}

/// <summary>Runs programs to their end, with a limit on time so that nothing hangs a test run.</summary>
internal static class Command
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static Outcome Dotnet(string assembly, params string[] arguments) => Run("dotnet", [assembly, .. arguments]);

    public static Outcome Run(string program, IEnumerable<string> arguments, string? input = null, string? folder = null)
    {
        using var process = Start(program, arguments, folder);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} ran longer than {Limit}");
        }
        return new(process.ExitCode, output.Result, error.Result);
    }

    public static Process Start(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
            WorkingDirectory = folder ?? Repository.Root,
        };
        return Process.Start(start)!;
    }
}
