// Tells in a fraction of a second that nothing has to be done: a hash of everything that a run reads and of what the last run left.
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LatentMoE.Feed;

internal sealed partial class RestoreStamp(FeedPaths paths, CommandLine commandLine, Recipe recipe)
{
    private static readonly string[] Variables = ["NUGET_PACKAGES", "LIBTORCH", "TorchSharpBackend"];

    [GeneratedRegex("\"([^\"]+\\.csproj)\"")]
    private static partial Regex SolutionProject { get; }

    /// <summary>The report of the run whose state this is; null where something changed since, or no run ended.</summary>
    public string? UnchangedReport()
    {
        if (!File.Exists(paths.Stamp))
            return null;
        string[] parts = File.ReadAllText(paths.Stamp).Split('\n', 2);
        return parts.Length == 2 && parts[0] == State() ? parts[1] : null;
    }

    public void Write(string report)
    {
        string temporary = paths.Stamp + ".tmp";
        File.WriteAllText(temporary, State() + "\n" + report);
        File.Move(temporary, paths.Stamp, overwrite: true);
    }

    public void Clear() => File.Delete(paths.Stamp);

    private string State()
    {
        using RecipeHash hash = new();
        hash.AddPath(paths.Root, "feed").Add("command line", commandLine.ToString());
        string[] settings = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "NuGet.config", "global.json"];
        foreach (string file in settings)
            hash.AddPath(paths.Root, file);
        foreach (string variable in Variables)
            hash.Add(variable, Environment.GetEnvironmentVariable(variable) ?? "");
        hash.Add("driver", Machine.HasNvidiaDriver.ToString()).Add("libtorch", Prerequisites.LibtorchVersion() ?? "");
        foreach (UncalledSymbol symbol in recipe.Families.Select(f => f.UncalledSymbol).OfType<UncalledSymbol>())
            hash.Add(symbol.Symbol, Machine.Lacks(symbol).ToString());
        hash.Add("sources", Command.Run("dotnet nuget list source", Command.Dotnet,
            ["nuget", "list", "source", "--format", "short"], paths.Root).Output);

        hash.AddPath(paths.Root, Path.GetRelativePath(paths.Root, paths.VersionsProps));
        foreach (FileInfo package in new DirectoryInfo(paths.Packages).GetFiles("*.nupkg").OrderBy(f => f.Name, StringComparer.Ordinal))
            hash.Add(package.Name, $"{package.Length}");
        if (commandLine.Solution is { } solution)
            AddSolution(hash, Path.Combine(paths.Root, solution));
        return hash.Hex(64);
    }

    private void AddSolution(RecipeHash hash, string solution)
    {
        if (!File.Exists(solution))
            throw new FeedException($"{solution}: no such solution");
        string text = File.ReadAllText(solution);
        hash.Add("solution", text);
        foreach (Match match in SolutionProject.Matches(text))
        {
            string project = Path.Combine(Path.GetDirectoryName(solution)!, match.Groups[1].Value.Replace('\\', '/'));
            hash.AddPath(paths.Root, Path.GetRelativePath(paths.Root, project));
            hash.Add("restored", RestoredFilesExist(Path.Combine(Path.GetDirectoryName(project)!, "obj")).ToString());
        }
    }

    /// <summary>Whether a project's last restore succeeded and its packages are still in the cache.</summary>
    private static bool RestoredFilesExist(string obj)
    {
        string cache = Path.Combine(obj, "project.nuget.cache");
        if (!File.Exists(cache) || !File.Exists(Path.Combine(obj, "project.assets.json")))
            return false;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(cache));
            return document.RootElement.GetProperty("success").GetBoolean()
                && document.RootElement.GetProperty("expectedPackageFiles").EnumerateArray().All(f => File.Exists(f.GetString()));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException)
        {
            return false;
        }
    }
}
