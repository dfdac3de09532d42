using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace LatentMoE.Operators.Tests;

/// <summary>The native test programs, and the library, with AddressSanitizer and UBSan: built once, beside this assembly.</summary>
internal static class NativeBuild
{
    // One after the other: each of them keeps all processors busy.
    private static readonly Lock making = new();
    private static readonly Lazy<string> built = new(() => Make("native"));

    public static string Sources { get; } = Path.Combine(Metadata("RepositoryRoot"), "tests", "Operators.Tests", "native");

    /// <summary>The folder of what was built.</summary>
    public static string Folder => built.Value;

    /// <summary>Exit code, 1 after a sanitizer's finding, and all that a program wrote.</summary>
    public static (int Code, string Output) Execute(string program, params string[] arguments) => Run(program, arguments, "");

    /// <summary>The same for a program that has leaks of others' making: they are reported but leave the exit code as it is.</summary>
    public static (int Code, string Output) ExecuteWithLeaks(string program, params string[] arguments) => Run(program, arguments, "exitcode=0");

    private static (int Code, string Output) Run(string program, string[] arguments, string leakOptions)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["UBSAN_OPTIONS"], start.Environment["LSAN_OPTIONS"]) = ("print_stacktrace=1", leakOptions);
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                $"{program} cannot be started: {e.Message}. The native tests need g++ and make; on Debian: apt-get install g++ make", e);
        }
    }

    /// <summary>What the Makefile of a folder of these tests builds, in a folder beside this assembly; returns the latter.</summary>
    public static string Make(string name, params string[] targets)
    {
        string sources = Path.Combine(Metadata("RepositoryRoot"), "tests", "Operators.Tests", name);
        string folder = Path.Combine(AppContext.BaseDirectory, name), jobs = Math.Max(2, Environment.ProcessorCount).ToString();
        using var exclusive = making.EnterScope();
        var (code, output) = Execute("make",
            ["--silent", "-C", sources, $"-j{jobs}", $"OUT={folder}", $"INCLUDE={Metadata("OnnxRuntimeInclude")}", .. targets.Select(target => Path.Combine(folder, target))]);
        return code == 0 ? folder : throw new InvalidOperationException($"make of {sources} ended with exit code {code}:\n{output}");
    }

    private static string Metadata(string key) =>
        typeof(NativeBuild).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
