// Whole runs in a repository of their own: its only NuGet source is a folder, so that nothing here depends on the network, and the ids
// are new each time, so that nothing depends on the machine's package cache.
using System.IO.Compression;
using System.Xml.Linq;

namespace LatentMoE.Feed.Tests.Builder;

[Collection("processes")]
public sealed class FeedRestoreTests : IDisposable
{
    private const string VendorLibrary = "runtimes/linux-x64/native/libuser.so", Signature = ".signature.p7s";

    private static readonly DateTime Issued = new(2020, 1, 1);

    private readonly TemporaryFolder _root = new();
    private readonly FeedPaths _paths;
    private readonly string _thing = $"Thing.{Guid.NewGuid():N}";
    private readonly string _native = $"native.{Guid.NewGuid():N}";
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

    private bool Run(string feed = "", string? solution = null) =>
        new FeedRestore(new CommandLine(_root.Path, Cuda: false, solution, feed)).Run();

    private void SourceCarries(string id, string version) => SourceCarries(id, version, new PackageEntry(_root["feed/thing.txt"], "a.txt"));

    private void SourceCarries(string id, string version, PackageEntry entry, params string[] dependencies) =>
        NuGetPackageWriter.Write(_root[$"source/{id}.{version}.nupkg"],
            id, version, "d", dependencies.ToDictionary(d => d, _ => version), [entry]);

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

    [Fact]
    public void Run_ChosenFamily_IsBuiltAlthoughTheSourceCarriesIt()
    {
        SourceCarries(_other, "2.0.0");
        SourceCarries(_thing, "1.2.3");

        Assert.True(Run("Thing"));
        Assert.Equal(["ThingVersion"], Selected().Keys);

        Assert.True(Run("all"));
        Assert.Equal(["OtherVersion", "ThingVersion"], Selected().Keys.Order());

        Assert.True(Run());
        Assert.False(File.Exists(_paths.VersionsProps));
    }

    [Fact]
    public void Run_UnknownFamilyChosen_NamesTheKnownOnes()
    {
        FeedException e = Assert.Throws<FeedException>(() => Run("Thing,thing"));

        Assert.Contains("no family thing; there are Thing, Other, and all", e.Message);
    }

    [Fact]
    public void Run_LibraryLacksTheSymbol_IssuesTheVendorsPackagesAgain()
    {
        SharedObjects objects = new(_root);
        VendorNeeds(objects, objects.Older);
        _root.Write("App/App.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="../artifacts/feed/versions.props" />
              <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
              <ItemGroup><PackageReference Include="{_thing}" Version="$(ThingVersion)" /></ItemGroup>
            </Project>
            """);
        _root.Write("all.slnx", """<Solution><Project Path="App/App.csproj" /></Solution>""");

        Assert.True(Run(solution: "all.slnx"));

        string version = Assert.Single(Selected(), s => s.Key == "ThingVersion").Value;
        Assert.Matches("^1\\.2\\.3-feed\\.h[0-9a-f]{8}$", version);
        Assert.Equal(new[] { $"{_native}.{version}.nupkg", $"{_thing}.{version}.nupkg" }.Order(), Packages());
        using (ZipArchive package = ZipFile.OpenRead(_paths.Package(_thing, version)))
        {
            Assert.DoesNotContain(package.Entries, e => e.FullName == Signature);
            XElement[] manifest = [.. XDocument.Load(package.GetEntry($"{_thing}.nuspec")!.Open()).Descendants()];
            Assert.Equal(version, manifest.Single(e => e.Name.LocalName == "version").Value);
            Assert.Equal([(_native, version), (_other, "1.2.3")], manifest.Where(e => e.Name.LocalName == "dependency")
                .Select(e => (e.Attribute("id")!.Value, e.Attribute("version")!.Value)));
        }
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? _root["packages"]; // the variable goes before NuGet.config
        string restored = Path.Combine(cache, _native, version, VendorLibrary);
        Assert.Equal(1, SharedObjects.Call(restored));
        Assert.False(new ElfFile(File.ReadAllBytes(restored), restored).Requires(SharedObjects.Version));
        // A build would leave the vendor's in place, which has the same size, were the time the same, too.
        Assert.True(File.GetLastWriteTime(restored) > Issued.AddDays(1));

        Assert.False(Run(solution: "all.slnx"));
    }

    [Fact]
    public void Run_InterruptedIssue_StartsOver()
    {
        SharedObjects objects = new(_root);
        VendorNeeds(objects, objects.Older);
        Run();
        string[] packages = Packages();
        string package = Path.Combine(_paths.Packages, packages[0]);
        File.Move(package, package + ".tmp");

        Assert.True(Run());

        Assert.Equal(packages, Packages());
        Assert.False(File.Exists(package + ".tmp"));
    }

    [Fact]
    public void Run_LibraryHasTheSymbol_TakesTheVendorsPackages()
    {
        SharedObjects objects = new(_root);
        VendorNeeds(objects, objects.Newer);

        Assert.True(Run());

        Assert.False(File.Exists(_paths.VersionsProps));
        Assert.Empty(Packages());
    }

    [Fact]
    public void Run_VendorTakesAnotherSymbolOfTheVersion_FailsAndSelectsNothing()
    {
        SharedObjects objects = new(_root, SharedObjects.TakesAnother);
        VendorNeeds(objects, objects.Older);

        FeedException e = Assert.Throws<FeedException>(() => Run());

        Assert.Contains("takes another of version NEW_2", e.Message);
        Assert.False(File.Exists(_paths.VersionsProps));
    }

    /// <summary>The source carries all; the machine has the given one of the libraries that Thing's native part may load.</summary>
    private void VendorNeeds(SharedObjects objects, string library)
    {
        // The packages' signature is not one.
        Environment.SetEnvironmentVariable("DOTNET_NUGET_SIGNATURE_VERIFICATION", "false");
        SourceCarries(_other, "1.2.3");
        SourceCarries(_other, "2.0.0");
        SourceCarries(_native, "1.2.3", new PackageEntry(objects.User, VendorLibrary));
        using (ZipArchive package = ZipFile.Open(_root[$"source/{_native}.1.2.3.nupkg"], ZipArchiveMode.Update))
            package.GetEntry(VendorLibrary)!.LastWriteTime = Issued;
        SourceCarries(_thing, "1.2.3", new PackageEntry(_root["feed/thing.txt"], Signature), _native, _other);
        string recipe = File.ReadAllText(_paths.Recipe);
        _root.Write("feed/packages.json", recipe.Replace("\"reference\": \"$(Backend)\",", $$"""
            "reference": "$(Backend)",
            "uncalledSymbol": {
              "package": "{{_native}}", "file": "{{VendorLibrary}}", "library": "{{library}}",
              "version": "{{SharedObjects.Version}}", "symbol": "{{SharedObjects.Symbol}}"
            },
            """));
    }
}
