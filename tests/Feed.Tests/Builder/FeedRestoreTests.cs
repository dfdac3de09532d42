// Whole runs in a repository of their own: its only NuGet source is a folder, so that nothing here depends on the network, and the ids
// are new each time, so that nothing depends on the machine's package cache.
using System.Xml.Linq;

namespace LatentMoE.Feed.Tests.Builder;

[Collection("processes")]
public sealed class FeedRestoreTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly FeedPaths _paths;
    private readonly string _thing = $"Thing.{Guid.NewGuid():N}";
    private readonly string _other = $"Other.{Guid.NewGuid():N}";

    public FeedRestoreTests()
    {
        _paths = new FeedPaths(_root.Path);
        Directory.CreateDirectory(_root["source"]);
        Directory.CreateDirectory(_paths.Packages);
        _root.Write("Directory.Build.props", $"<Project><PropertyGroup><Backend>{_thing}</Backend></PropertyGroup></Project>");
        _root.Write("Directory.Packages.props", """
            <Project><PropertyGroup><ThingVersion>1.2.3</ThingVersion><OtherVersion>2.0.0</OtherVersion></PropertyGroup></Project>
            """);
        _root.Write("NuGet.config", """
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources>
                <clear />
                <add key="folder" value="source" />
                <add key="latentmoe-feed" value="artifacts/feed" />
              </packageSources>
            </configuration>
            """);
        _root.Write("feed/thing.txt", "1");
        _root.Write("feed/packages.json", $$"""
            {
              "tarballs": {},
              "families": [
                {
                  "name": "Thing", "version": "1.2.3", "versionProperty": "ThingVersion", "reference": "$(Backend)", "origin": "stand-in",
                  "packages": [ { "id": "{{_thing}}", "description": "d", "files": [ { "from": "feed/thing.txt", "to": "thing.txt" } ] } ]
                },
                {
                  "name": "Other", "version": "2.0.0", "versionProperty": "OtherVersion", "reference": "{{_other}}", "origin": "stand-in",
                  "packages": [ { "id": "{{_other}}", "description": "d", "files": [ { "from": "feed/thing.txt", "to": "thing.txt" } ] } ]
                }
              ]
            }
            """);
    }

    public void Dispose() => _root.Dispose();

    private bool Run() => new FeedRestore(new CommandLine(_root.Path, Cuda: false, Solution: null)).Run();

    private void SourceCarries(string id, string version) => NuGetPackageWriter.Write(_root[$"source/{id}.{version}.nupkg"],
        id, version, "d", new Dictionary<string, string>(), [new PackageEntry(_root["feed/thing.txt"], "a.txt")]);

    private Dictionary<string, string> Selected() => XDocument.Load(_paths.VersionsProps).Root!.Elements("PropertyGroup").Elements()
        .ToDictionary(e => e.Name.LocalName, e => e.Value);

    private string[] Packages() => [.. Directory.GetFiles(_paths.Packages, "*.nupkg").Select(f => Path.GetFileName(f)).Order()];

    [Fact]
    public void Run_OneIdMissing_BuildsAndSelectsThatOneOnce()
    {
        SourceCarries(_other, "2.0.0");

        Assert.True(Run());
        string version = Assert.Single(Selected(), s => s.Key == "ThingVersion").Value;
        Assert.Equal(["ThingVersion"], Selected().Keys);
        Assert.Equal([$"{_thing}.{version}.nupkg"], Packages());
        Assert.False(Directory.Exists(_paths.Work));

        DateTime written = File.GetLastWriteTimeUtc(_paths.VersionsProps);
        Assert.False(Run());
        Assert.Equal(written, File.GetLastWriteTimeUtc(_paths.VersionsProps));
    }

    [Fact]
    public void Run_ChangedInput_ReplacesThePackage()
    {
        SourceCarries(_other, "2.0.0");
        Run();
        string before = Selected()["ThingVersion"];

        _root.Write("feed/thing.txt", "2");
        Assert.True(Run());

        Assert.NotEqual(before, Selected()["ThingVersion"]);
        Assert.Equal([$"{_thing}.{Selected()["ThingVersion"]}.nupkg"], Packages());
    }

    [Fact]
    public void Run_DeletedPackage_IsBuiltAgain()
    {
        SourceCarries(_other, "2.0.0");
        Run();
        string[] packages = Packages();
        File.Delete(Path.Combine(_paths.Packages, packages[0]));

        Assert.True(Run());

        Assert.Equal(packages, Packages());
    }

    [Fact]
    public void Run_InterruptedBefore_StartsClean()
    {
        SourceCarries(_other, "2.0.0");
        _root.Write("artifacts/feed-work/probe/Thing/Thing.csproj", "half of a pro");
        _root.Write($"artifacts/feed/{_thing}.1.2.3-feed.h00000000.nupkg.tmp", "half of a package");

        Assert.True(Run());

        Assert.Empty(Directory.GetFiles(_paths.Packages, "*.tmp"));
        Assert.Single(Packages());
    }

    [Fact]
    public void Run_SourceCarriesAll_SelectsNothing()
    {
        SourceCarries(_other, "2.0.0");
        SourceCarries(_thing, "1.2.3");
        _root.Write("artifacts/feed/versions.props", "<Project />");
        _root.Write($"artifacts/feed/{_thing}.1.2.3-feed.h00000000.nupkg", "of an earlier run");

        Assert.True(Run());

        Assert.False(File.Exists(_paths.VersionsProps));
        Assert.Empty(Packages());
    }

    [Fact]
    public void Run_SourceUnreachable_FailsAndSelectsNothing()
    {
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT", "1");
        _root.Write("NuGet.config", """
            <configuration>
              <packageSources>
                <clear />
                <add key="nowhere" value="http://127.0.0.1:9/index.json" allowInsecureConnections="true" />
              </packageSources>
            </configuration>
            """);

        FeedException e = Assert.Throws<FeedException>(() => Run());

        Assert.Contains("could not be reached", e.Message);
        Assert.Contains("http://127.0.0.1:9/index.json", e.Message);
        Assert.False(File.Exists(_paths.VersionsProps));
    }

    [Fact]
    public void Run_AnotherAtWork_Fails()
    {
        using FileStream other = new(_paths.Lock, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);

        FeedException e = Assert.Throws<FeedException>(() => Run());

        Assert.Contains("another Restore is at work", e.Message);
    }
}
