using System.Diagnostics;

namespace LatentMoE.Benchmarks;

/// <summary>Starts a program of this folder: by itself where the folder brings the .NET runtime along, else with dotnet.</summary>
internal static class SiblingProgram
{
    private const string Runtime = "libcoreclr.so";

    public static ProcessStartInfo Start(string name, params IEnumerable<string> arguments)
    {
        string path = Path.Combine(AppContext.BaseDirectory, name);
        var start = File.Exists(Path.Combine(AppContext.BaseDirectory, Runtime))
            ? new ProcessStartInfo(path, arguments) : new ProcessStartInfo("dotnet", [path + ".dll", .. arguments]);
        (start.RedirectStandardOutput, start.UseShellExecute) = (true, false);
        return start;
    }
}
