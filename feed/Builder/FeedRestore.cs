// One run: ask the sources, build what they lack, select it, restore the solution. A run that is interrupted anywhere leaves the
// previous selection or the new one, never half of one, and the next run starts over.
using System.Text;
using System.Text.RegularExpressions;

namespace LatentMoE.Feed;

internal sealed partial class FeedRestore(CommandLine commandLine)
{
    private readonly FeedPaths _paths = new(commandLine.Root);
    private readonly bool _cuda = commandLine.Cuda || Machine.HasNvidiaDriver;

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex MSBuildProperty { get; }

    /// <summary>False where nothing had to be done.</summary>
    public bool Run()
    {
        Recipe recipe = Recipe.Load(_paths.Recipe);
        IReadOnlyDictionary<string, string> asked = CentralVersions.Asked(_paths.CentralVersions, recipe);
        string[] chosen = Chosen(recipe);
        Directory.CreateDirectory(_paths.Packages);
        using FileStream running = Lock();

        RestoreStamp stamp = new(_paths, commandLine, recipe);
        if (stamp.UnchangedReport() is { } report)
        {
            Console.Write(report);
            Console.WriteLine("Nothing changed since the last Restore.");
            return false;
        }
        stamp.Clear();
        Workspace.Create(_paths.Work);

        Dictionary<string, (string Id, string Version)> references = recipe.Families.ToDictionary(
            f => f.Name, f => (ResolveId(f.Reference), asked[f.Name]));
        string[] missing = [.. chosen, .. Missing(references.Where(r => !chosen.Contains(r.Key)).ToDictionary())];
        if (missing.Length > 0)
            Machine.RequireLinuxX64(missing.Select(family => references[family].Id));

        Dictionary<string, string> versions = Build(recipe, missing);
        Dictionary<string, string> reissued = Reissued(recipe, references, missing, versions);
        CentralVersions.WriteOverrides(_paths.VersionsProps, recipe.Families
            .Where(f => missing.Contains(f.Name) || reissued.ContainsKey(f.Name))
            .ToDictionary(f => f.VersionProperty, f => versions[references[f.Name].Id]));
        RemoveOthers(versions);

        report = Report(recipe, references, missing, reissued, versions);
        Console.Write(report);
        if (commandLine.Solution is { } solution)
            Command.Run($"dotnet restore {solution}", Command.Dotnet, ["restore", solution], _paths.Root, echo: true,
                ("MSBUILDDISABLENODEREUSE", "1"));
        Directory.Delete(_paths.Work, recursive: true);
        stamp.Write(report);
        return true;
    }

    private FileStream Lock()
    {
        try
        {
            return new FileStream(_paths.Lock, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException e) when (File.Exists(_paths.Lock))
        {
            throw new FeedException($"another Restore is at work in {commandLine.Root}: wait until it ends ({e.Message})");
        }
    }

    /// <summary>The families that the command line gives to the feed.</summary>
    private string[] Chosen(Recipe recipe)
    {
        string[] known = [.. recipe.Families.Select(f => f.Name)];
        string[] names = commandLine.Feed == "all" ? known
            : commandLine.Feed.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Except(known).FirstOrDefault() is { } unknown
            ? throw new FeedException(
                $"--feed={commandLine.Feed}: feed/packages.json has no family {unknown}; there are {string.Join(", ", known)}, and all")
            : [.. names.Distinct()];
    }

    private IEnumerable<string> Missing(IReadOnlyDictionary<string, (string Id, string Version)> references)
    {
        if (references.Count == 0)
            return [];
        Console.WriteLine($"Asking the NuGet sources for {string.Join(", ", references.Values.Select(r => r.Id))}");
        return new SourceProbe(_paths.Root, _paths.Work).Missing(references).Keys;
    }

    /// <summary>Issues again what this machine could not load, adding to the versions; the reason, by family.</summary>
    private Dictionary<string, string> Reissued(Recipe recipe, Dictionary<string, (string Id, string Version)> references,
        string[] missing, Dictionary<string, string> versions)
    {
        Dictionary<string, string> reasons = [];
        foreach (PackageFamily family in recipe.Families.Where(f => f.UncalledSymbol is not null && !missing.Contains(f.Name)))
        {
            (string id, string version) = references[family.Name];
            Reissue reissue = new(_paths, family, id, version, new SourceProbe(_paths.Root, _paths.Work).Folder(family.Name));
            if (!reissue.IsNeeded)
                continue;
            reissue.Build();
            foreach (string part in reissue.Ids)
                versions[part] = reissue.Version;
            reasons.Add(family.Name, $"{family.UncalledSymbol!.Library} here lacks {family.UncalledSymbol.Version}");
        }
        return reasons;
    }

    /// <summary>The versions, by id, of all packages that the missing families come down to.</summary>
    private Dictionary<string, string> Build(Recipe recipe, IEnumerable<string> missing)
    {
        List<PackageFamily> families = [.. InBuildOrder(recipe, missing)];
        Prerequisites.Ensure(Prerequisites.Of(families, _cuda), Prerequisites.MayInstall);
        TarballFolder tarballs = new(recipe, _paths.Work, new NpmClient(Path.Combine(_paths.Work, "npm")));
        FamilyBuilder builder = new(_paths, tarballs, new Compiler(_paths.Root, _paths.Work), _cuda);
        Dictionary<string, string> versions = [];
        foreach (PackageFamily family in families)
        {
            string? needed = family.Needs is { } name ? versions[recipe.Family(name).Packages[0].Id] : null;
            string version = RecipeHash.Version(_paths, recipe, family, _cuda, needed);
            foreach (PackageRecipe package in family.Packages)
                versions.Add(package.Id, version);
            builder.Build(family, versions);
        }
        return versions;
    }

    /// <summary>The families with those that they need, each once, needed ones first.</summary>
    internal static IEnumerable<PackageFamily> InBuildOrder(Recipe recipe, IEnumerable<string> names) => names
        .Select(recipe.Family)
        .SelectMany(f => f.Needs is { } needed ? InBuildOrder(recipe, [needed]).Append(f) : [f])
        .Distinct();

    private void RemoveOthers(IReadOnlyDictionary<string, string> versions)
    {
        HashSet<string> current = [.. versions.Select(v => _paths.Package(v.Key, v.Value))];
        foreach (string file in Directory.GetFiles(_paths.Packages))
            if (!current.Contains(file) && Path.GetExtension(file) is ".nupkg" or ".tmp")
                File.Delete(file);
    }

    /// <summary>An id in the recipe may be a property of Directory.Build.props.</summary>
    private string ResolveId(string reference) => MSBuildProperty.Replace(reference, m => Command.Run(
        $"evaluating {reference}", Command.Dotnet,
        ["msbuild", Path.Combine(_paths.Root, "Directory.Build.props"), $"-getProperty:{m.Groups[1].Value}"], _paths.Root).Output.Trim());

    private static string Report(Recipe recipe, Dictionary<string, (string Id, string Version)> references,
        string[] missing, Dictionary<string, string> reissued, Dictionary<string, string> versions)
    {
        StringBuilder text = new();
        foreach (PackageFamily family in recipe.Families)
        {
            (string id, string version) = references[family.Name];
            text.Append(missing.Contains(family.Name)
                ? $"{id,-32} {versions[id],-26} {family.Origin}, built by feed/\n"
                : reissued.TryGetValue(family.Name, out string? reason)
                ? $"{id,-32} {versions[id],-26} the vendor's, made loadable by feed/: {reason}\n"
                : $"{id,-32} {version,-26} the vendor's, from the configured NuGet sources\n");
        }
        return text.ToString();
    }
}
