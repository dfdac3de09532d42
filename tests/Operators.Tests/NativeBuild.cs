using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace LatentMoE.Operators.Tests;

/// <summary>The native test programs, and the library, with AddressSanitizer and UBSan: built once, beside this assembly.</summary>
internal static class NativeBuild
{
    private static readonly Lazy<string> built = new(Make);

    public static string Sources { get; } = Path.Combine(Metadata("RepositoryRoot"), "tests", "Operators.Tests", "native");

    /// <summary>The folder of what was built.</summary>
    public static string Folder => built.Value;

    /// <summary>Exit code, which leaks leave as it is, and all that a program wrote.</summary>
    public static (int Code, string Output) Execute(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["UBSAN_OPTIONS"], start.Environment["LSAN_OPTIONS"]) = ("print_stacktrace=1", "exitcode=0");
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

    private static string Make()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "native"), jobs = Math.Max(2, Environment.ProcessorCount).ToString();
        var (code, output) = Execute("make", "--silent", "-C", Sources, $"-j{jobs}", $"OUT={folder}", $"INCLUDE={Metadata("OnnxRuntimeInclude")}");
        return code == 0 ? folder : throw new InvalidOperationException($"make of {Sources} ended with exit code {code}:\n{output}");
    }

    private static string Metadata(string key) =>
        typeof(NativeBuild).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
