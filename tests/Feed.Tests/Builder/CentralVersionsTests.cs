using System.Xml.Linq;

namespace LatentMoE.Feed.Tests.Builder;

public sealed class CentralVersionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WriteOverrides_Versions_BecomeProperties()
    {
        string path = _folder["versions.props"];

        CentralVersions.WriteOverrides(path,
            new Dictionary<string, string> { ["BVersion"] = "2.0.0-feed.h2", ["AVersion"] = "1.0.0-feed.h1" });

        XElement[] properties = [.. XDocument.Load(path).Root!.Elements("PropertyGroup").Elements()];
        Assert.Equal([("AVersion", "1.0.0-feed.h1"), ("BVersion", "2.0.0-feed.h2")], properties.Select(p => (p.Name.LocalName, p.Value)));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void WriteOverrides_Nothing_RemovesTheFile()
    {
        string path = _folder.Write("versions.props", "<Project />");

        CentralVersions.WriteOverrides(path, new Dictionary<string, string>());

        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("1.29.0")]
    [InlineData("1.30.0")]
    [InlineData("1.29.0.1")]
    public void Asked_ThatVersionOrALaterOne_IsReturned(string version)
    {
        (string path, Recipe recipe) = Asking(version);

        Assert.Equal(new Dictionary<string, string> { ["Thing"] = version }, CentralVersions.Asked(path, recipe));
    }

    [Theory]
    [InlineData("1.28.3")]
    [InlineData("latest")]
    public void Asked_OlderThanWhatTheFeedMakes_NamesBoth(string version)
    {
        (string path, Recipe recipe) = Asking(version);

        FeedException e = Assert.Throws<FeedException>(() => CentralVersions.Asked(path, recipe));

        Assert.Contains($"asks for ThingVersion {version}", e.Message);
        Assert.Contains("makes 1.29.0", e.Message);
    }

    private (string Path, Recipe Recipe) Asking(string version)
    {
        string path = _folder.Write("Directory.Packages.props",
            $"<Project><PropertyGroup><ThingVersion>{version}</ThingVersion></PropertyGroup></Project>");
        Recipe recipe = new()
        {
            Tarballs = new Dictionary<string, TarballPin>(),
            Families =
            [
                new PackageFamily
                {
                    Name = "Thing", Version = "1.29.0", VersionProperty = "ThingVersion", Reference = "Thing", Origin = "", Packages = [],
                },
            ],
        };
        return (path, recipe);
    }
}
