namespace LatentMoE.Feed.Tests.Builder;

public sealed class RecipeHashTests : IDisposable
{
    private static readonly PackageFamily Family = new()
    {
        Name = "Thing",
        Version = "1.2.3",
        VersionProperty = "ThingVersion",
        Reference = "Thing",
        Origin = "stand-in",
        Packages =
        [
            new PackageRecipe
            {
                Id = "Thing",
                Description = "A thing.",
                Project = "feed/Thing",
                Files =
                [
                    new PackageFile("tarball", "LICENSE", "LICENSE"),
                    new PackageFile("providers", "p.so", "p.so", CudaOnly: true),
                    new PackageFile(null, "feed/licenses/thing.txt", "thing.txt"),
                ],
            },
        ],
    };

    private readonly TemporaryFolder _root = new();

    public RecipeHashTests()
    {
        _root.Write("feed/Builder/Program.cs", "1");
        _root.Write("feed/Thing/Thing.cs", "1");
        _root.Write("feed/licenses/thing.txt", "1");
    }

    public void Dispose() => _root.Dispose();

    private string Version(string pin = "sha512-a", bool cuda = false, string? needed = null, string providersPin = "sha512-b")
    {
        Recipe recipe = new()
        {
            Tarballs = new Dictionary<string, TarballPin> { ["tarball"] = new("1.0.0", pin), ["providers"] = new("1.0.0", providersPin) },
            Families = [Family],
        };
        return RecipeHash.Version(new FeedPaths(_root.Path), recipe, Family, cuda, needed);
    }

    [Fact]
    public void Version_SameInputs_IsTheSame()
    {
        string version = Version();
        Assert.Matches("^1\\.2\\.3-feed\\.h[0-9a-f]{8}$", version);
        Assert.Equal(version, Version());
    }

    [Theory]
    [InlineData("feed/Builder/Program.cs")]
    [InlineData("feed/Thing/Thing.cs")]
    [InlineData("feed/Thing/Internals/New.cs")]
    [InlineData("feed/licenses/thing.txt")]
    public void Version_ChangedSource_Changes(string file)
    {
        string before = Version();
        _root.Write(file, "2");
        Assert.NotEqual(before, Version());
    }

    [Theory]
    [InlineData("feed/Thing/obj/project.assets.json")]
    [InlineData("feed/Thing/bin/Debug/Thing.xml")]
    [InlineData("feed/Other/Other.cs")]
    public void Version_BuildOutputAndOtherSources_DoNotCount(string file)
    {
        string before = Version();
        _root.Write(file, "2");
        Assert.Equal(before, Version());
    }

    [Fact]
    public void Version_ChangedPin_Changes() => Assert.NotEqual(Version("sha512-a"), Version("sha512-c"));

    [Fact]
    public void Version_ProvidersPin_CountsWithCudaOnly()
    {
        Assert.Equal(Version(providersPin: "sha512-b"), Version(providersPin: "sha512-c"));
        Assert.NotEqual(Version(cuda: true, providersPin: "sha512-b"), Version(cuda: true, providersPin: "sha512-c"));
    }

    [Fact]
    public void Version_NeededFamilysVersion_Changes() =>
        Assert.NotEqual(Version(needed: "1.0.0-feed.ha"), Version(needed: "1.0.0-feed.hb"));
}
