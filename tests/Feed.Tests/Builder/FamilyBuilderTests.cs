using System.IO.Compression;
using System.Xml.Linq;

namespace LatentMoE.Feed.Tests.Builder;

[Collection("processes")]
public sealed class FamilyBuilderTests : IDisposable
{
    private static readonly PackageFamily Family = new()
    {
        Name = "Thing",
        Version = "1.2.3",
        VersionProperty = "ThingVersion",
        Reference = "Thing.Gpu",
        Origin = "repackaged vendor binaries",
        Packages =
        [
            new PackageRecipe
            {
                Id = "Thing.Gpu",
                Description = "A thing.",
                Dependencies = new Dictionary<string, string> { ["Thing.Managed"] = "", ["Other"] = "4.5.6" },
                Files =
                [
                    new PackageFile("thing", "LICENSE", "LICENSE"),
                    new PackageFile("thing", "lib/libthing.so.1", "runtimes/linux-x64/native/libthing.so"),
                    new PackageFile("thing", "include/", "build/native/include/"),
                    new PackageFile("providers", "provider.so", "runtimes/linux-x64/native/provider.so", CudaOnly: true),
                ],
            },
        ],
    };

    private static readonly Dictionary<string, string> Versions = new()
    {
        ["Thing.Gpu"] = "1.2.3-feed.h1", ["Thing.Managed"] = "1.2.3-feed.h2",
    };

    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    private string Build(PackageFamily family)
    {
        TarballTests.Write(_root["thing.tgz"], ("package/LICENSE", "the licence"), ("package/lib/libthing.so.1", "binary"),
            ("package/include/a.h", "a"), ("package/include/b.h", "b"));
        string npm = _root.WriteScript("npm", $"for last; do :; done\ncp '{_root["thing.tgz"]}' \"$last/\"\n");
        Recipe recipe = new()
        {
            Tarballs = new Dictionary<string, TarballPin> { ["thing"] = new("1.0.0", Integrity.Of(_root["thing.tgz"])) },
            Families = [family],
        };
        FeedPaths paths = new(_root.Path);
        Directory.CreateDirectory(paths.Packages);
        TarballFolder tarballs = new(recipe, paths.Work, new NpmClient(Path.Combine(paths.Work, "npm"), npm));
        new FamilyBuilder(paths, tarballs, new Compiler(_root.Path, paths.Work), cuda: false).Build(family, Versions);
        return paths.Package("Thing.Gpu", "1.2.3-feed.h1");
    }

    [Fact]
    public void Build_Family_CarriesFilesAndLicenceButNoProviders()
    {
        using ZipArchive package = ZipFile.OpenRead(Build(Family));

        Assert.Equal(
            ["LICENSE", "Thing.Gpu.nuspec", "[Content_Types].xml", "build/native/include/a.h", "build/native/include/b.h",
                "runtimes/linux-x64/native/libthing.so"],
            package.Entries.Select(e => e.FullName).Order(StringComparer.Ordinal));
        using StreamReader licence = new(package.GetEntry("LICENSE")!.Open());
        Assert.Equal("the licence", licence.ReadToEnd());
    }

    [Fact]
    public void Build_Family_WritesTheManifest()
    {
        using ZipArchive package = ZipFile.OpenRead(Build(Family));
        using Stream stream = package.GetEntry("Thing.Gpu.nuspec")!.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single();
        XNamespace ns = metadata.Name.Namespace;

        Assert.Equal("Thing.Gpu", metadata.Element(ns + "id")!.Value);
        Assert.Equal("1.2.3-feed.h1", metadata.Element(ns + "version")!.Value);
        Assert.Equal("LICENSE", metadata.Element(ns + "license")!.Value);
        Assert.Equal([("Thing.Managed", "1.2.3-feed.h2"), ("Other", "4.5.6")],
            metadata.Descendants(ns + "dependency").Select(d => (d.Attribute("id")!.Value, d.Attribute("version")!.Value)));
    }

    [Fact]
    public void Build_FileNotInTarball_NamesPackageAndFile()
    {
        PackageFamily wrong = Family with
        {
            Packages = [Family.Packages[0] with { Files = [new PackageFile("thing", "LICENCE", "LICENSE")] }],
        };

        FeedException e = Assert.Throws<FeedException>(() => Build(wrong));

        Assert.Equal("Thing.Gpu: thing has no LICENCE", e.Message);
        Assert.Empty(Directory.GetFiles(new FeedPaths(_root.Path).Packages));
    }
}
