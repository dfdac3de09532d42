// Runs other programs: no shell, arguments passed as a list, both output streams collected in the order in which they arrive.
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace LatentMoE.Feed;

internal sealed record CommandResult(int ExitCode, string Output)
{
    /// <summary>The output's last lines: where tools put their reason.</summary>
    public string Tail(int lines = 20) => string.Join('\n', Output.TrimEnd().Split('\n').TakeLast(lines));
}

internal static class Command
{
    private const int FileNotFound = 2;

    /// <summary>Runs to the end and returns what was printed; null where there is no such program.</summary>
    public static CommandResult? TryRun(string program, IEnumerable<string> arguments, string workingDirectory, bool echo = false,
        params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;

        StringBuilder output = new();
        void Collect(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is null)
                return;
            lock (output)
                output.Append(e.Data).Append('\n');
            if (echo)
                Console.WriteLine(e.Data);
        }
        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        try
        {
            process.Start();
        }
        catch (Win32Exception e) when (e.NativeErrorCode == FileNotFound)
        {
            return null;
        }
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return new CommandResult(process.ExitCode, output.ToString());
    }

    /// <summary>As <see cref="TryRun"/>, for programs that must exist and succeed.</summary>
    public static CommandResult Run(string what, string program, IEnumerable<string> arguments, string workingDirectory, bool echo = false,
        params (string Name, string Value)[] environment)
    {
        CommandResult result = TryRun(program, arguments, workingDirectory, echo, environment)
            ?? throw new FeedException($"{what}: '{program}' is not on the PATH");
        return result.ExitCode == 0
            ? result
            : throw new FeedException($"{what}: '{program}' ended with exit code {result.ExitCode}" + (echo ? "" : ":\n" + result.Tail()));
    }

    /// <summary>The dotnet host that runs this program, so that no other SDK on the PATH takes over.</summary>
    public static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path
        : "dotnet";
}
