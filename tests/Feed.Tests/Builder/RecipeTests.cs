namespace LatentMoE.Feed.Tests.Builder;

public sealed class RecipeTests
{
    private static readonly string Root = typeof(RecipeTests).Assembly.GetCustomAttributes(false)
        .OfType<System.Reflection.AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    private static readonly FeedPaths Paths = new(Root);
    private static readonly Recipe Committed = Recipe.Load(Paths.Recipe);

    [Fact]
    public void Load_CommittedRecipe_PinsSha512()
    {
        Assert.NotEmpty(Committed.Tarballs);
        foreach ((string id, TarballPin pin) in Committed.Tarballs)
        {
            Assert.True(pin.Integrity.StartsWith("sha512-", StringComparison.Ordinal), id);
            Assert.Equal(64, Convert.FromBase64String(pin.Integrity["sha512-".Length..]).Length);
        }
    }

    [Fact]
    public void Load_CommittedRecipe_MakesNothingNewerThanTheProjectsAskFor() =>
        Assert.Equal(Committed.Families.Select(f => f.Name).Order(), CentralVersions.Asked(Paths.CentralVersions, Committed).Keys.Order());

    [Fact]
    public void Load_RepackagedBinaries_CarryTheirLicences()
    {
        PackageRecipe[] repackaged = [.. Committed.Families.SelectMany(f => f.Packages)
            .Where(p => p.Files.Any(f => f.Tarball is not null))];
        Assert.NotEmpty(repackaged);
        Assert.All(repackaged, package =>
        {
            Assert.Contains(package.Files, f => f.To == "LICENSE");
            Assert.Contains(package.Files, f => f.To == "ThirdPartyNotices.txt");
        });
    }

    [Fact]
    public void Notices_NameEveryTarballWithItsVersion()
    {
        string notices = File.ReadAllText(Path.Combine(Root, "THIRD-PARTY-NOTICES.md"));
        Assert.All(Committed.Tarballs, t => Assert.Contains($"{t.Key}@{t.Value.Version}", notices));
    }

    [Fact]
    public void Tarballs_WithoutCuda_LeavesTheProvidersOut()
    {
        PackageFamily family = Committed.Family("OnnxRuntime");
        string[] cudaOnly = [.. family.Tarballs(withCuda: true).Except(family.Tarballs(withCuda: false))];
        Assert.Equal(["com.github.asus4.onnxruntime.linux-x64-gpu"], cudaOnly);
    }

    [Fact]
    public void InBuildOrder_NeededFamily_ComesFirstAndOnce()
    {
        Assert.Equal(["OnnxRuntime", "OnnxRuntimeGenAI"],
            FeedRestore.InBuildOrder(Committed, ["OnnxRuntimeGenAI", "OnnxRuntime"]).Select(f => f.Name));
        Assert.Equal(["Tokenizers"], FeedRestore.InBuildOrder(Committed, ["Tokenizers"]).Select(f => f.Name));
    }

    [Theory]
    [InlineData("""{ "tarballs": {}, "families": [], "famlies": [] }""", "famlies")]
    [InlineData("""{ "tarballs": {}, "families": [ """, "not a feed recipe")]
    [InlineData("""
        { "tarballs": {}, "families": [ { "name": "A", "version": "1", "versionProperty": "V", "reference": "A", "origin": "o",
          "needs": "B", "packages": [] } ] }
        """, "family A needs B")]
    [InlineData("""
        { "tarballs": {}, "families": [ { "name": "A", "version": "1", "versionProperty": "V", "reference": "A", "origin": "o",
          "packages": [ { "id": "A", "description": "d", "files": [ { "tarball": "t", "from": "f", "to": "f" } ] } ] } ] }
        """, "family A takes files from t")]
    public void Load_BadRecipe_NamesFileAndPlace(string json, string place)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("packages.json", json);

        FeedException e = Assert.Throws<FeedException>(() => Recipe.Load(path));

        Assert.StartsWith(path, e.Message);
        Assert.Contains(place, e.Message);
    }
}
