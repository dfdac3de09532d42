// What `dotnet restore` says about a probe project: that a package is missing is an answer, anything else is a failure.
using System.Text.RegularExpressions;

namespace LatentMoE.Feed;

internal static partial class RestoreOutput
{
    // NU1101: no such id. NU1102: the id, but not the version. NU1103: only pre-releases of it.
    private static readonly string[] MissingCodes = ["NU1101", "NU1102", "NU1103"];

    [GeneratedRegex(
        @"/Probe\.(?<family>[^/\s]+)\.csproj(\([\d,]+\))?\s*:\s*error\s+(?<code>[A-Z]+\d+)\s*:\s*(?<message>.*?)(\s\[[^\]]*\])?\s*$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ErrorLine { get; }

    /// <summary>The families that lack a package, each with NuGet's reason.</summary>
    /// <exception cref="FeedException">A source could not be reached, or the restore failed for another reason.</exception>
    public static IReadOnlyDictionary<string, string> MissingPackages(CommandResult result)
    {
        Dictionary<string, string> missing = [];
        foreach (Match error in ErrorLine.Matches(result.Output))
        {
            string code = error.Groups["code"].Value;
            string message = error.Groups["message"].Value;
            if (code == "NU1301")
                throw new FeedException($"""
                    a NuGet source could not be reached, so it is unknown which packages it carries ({code}):
                      {message}
                    Check the network and `dotnet nuget list source`; a source that you do not need is switched off with
                    `dotnet nuget disable source NAME`.
                    """);
            if (!MissingCodes.Contains(code))
                throw new FeedException($"asking the NuGet sources failed with {code}: {message}\n{result.Tail()}");
            missing.TryAdd(error.Groups["family"].Value, message);
        }
        return result.ExitCode == 0 || missing.Count > 0
            ? missing
            : throw new FeedException($"asking the NuGet sources failed, exit code {result.ExitCode}:\n{result.Tail()}");
    }
}
