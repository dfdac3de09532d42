// Asks the configured sources whether they carry a package with all it depends on. One project for each family, restored in a folder
// whose NuGet.config switches the feed itself off. (A project must not bear the name of a package that it references.)
using System.Xml.Linq;

namespace LatentMoE.Feed;

internal sealed class SourceProbe(string root, string work)
{
    private readonly string _folder = Path.Combine(work, "probe");

    /// <summary>Where a family's probe is restored.</summary>
    public string Folder(string family) => Path.Combine(_folder, family);

    /// <summary>The families that the sources lack, by name, each with NuGet's reason.</summary>
    /// <param name="references">Family name to the id and exact version in question.</param>
    public IReadOnlyDictionary<string, string> Missing(IReadOnlyDictionary<string, (string Id, string Version)> references)
    {
        Directory.CreateDirectory(_folder);
        XElement solution = new("Solution");
        foreach ((string family, (string id, string version)) in references)
        {
            string project = Folder(family);
            Directory.CreateDirectory(project);
            Project(id, version).Save(Path.Combine(project, $"Probe.{family}.csproj"));
            solution.Add(new XElement("Project", new XAttribute("Path", $"{family}/Probe.{family}.csproj")));
        }
        string file = Path.Combine(_folder, "probe.slnx");
        solution.Save(file);

        CommandResult result = Command.TryRun(Command.Dotnet, ["restore", file], _folder, echo: false,
            ("DOTNET_CLI_UI_LANGUAGE", "en"), ("MSBUILDDISABLENODEREUSE", "1"))
            ?? throw new FeedException("'dotnet' is not on the PATH");
        return RestoreOutput.MissingPackages(result);
    }

    private XElement Project(string id, string version) => new("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"),
        new XElement("PropertyGroup",
            new XElement("TargetFramework", "net10.0"),
            new XElement("NuGetAudit", "false")),
        OtherPlatforms(),
        new XElement("ItemGroup",
            new XElement("PackageReference", new XAttribute("Include", id), new XAttribute("Version", $"[{version}]"))));

    /// <summary>What the repository's own projects leave out is not fetched for a probe either.</summary>
    private XElement OtherPlatforms()
    {
        string file = Path.Combine(root, "feed", "OtherPlatforms.props");
        return new XElement("Import", new XAttribute("Project", file), new XAttribute("Condition", $"Exists('{file}')"));
    }
}
