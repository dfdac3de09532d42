namespace LatentMoE.Feed.Tests.Builder;

public sealed class PrerequisitesTests
{
    private static readonly Prerequisite There = new("a shell", "dash", () => true);
    private static readonly Prerequisite NotThere = new("a thing", "libthing-dev", () => false);
    private static readonly Prerequisite NotThereEither = new("a tool", "tool", () => false);

    [Fact]
    public void Ensure_AllPresent_DoesNothing() => Prerequisites.Ensure([There], mayInstall: false);

    [Fact]
    public void Ensure_MissingAndNotRoot_PrintsTheExactCommand()
    {
        FeedException e = Assert.Throws<FeedException>(() => Prerequisites.Ensure([NotThere, There, NotThereEither], mayInstall: false));

        Assert.Contains("missing on this machine: a thing, a tool", e.Message);
        Assert.Contains("sudo apt-get update && sudo apt-get install -y --no-install-recommends libthing-dev tool", e.Message);
    }

    [Fact]
    public void Of_RepackagedBinaries_TakesNpmOnly()
    {
        PackageFamily family = Family(new PackageRecipe { Id = "A", Description = "", Files = [new PackageFile("t", "f", "f")] });
        Assert.Equal(["npm"], Prerequisites.Of([family, family], cuda: false).Select(p => p.DebianPackage));
    }

    [Fact]
    public void Of_NativeLibrary_TakesCompilerAndLibtorch()
    {
        PackageFamily family = Family(new PackageRecipe
        {
            Id = "A", Description = "", NativeLibrary = new NativeLibraryRecipe("build.sh", "a.so"),
        });
        string[] packages = [.. Prerequisites.Of([family], cuda: false).Select(p => p.DebianPackage)];
        Assert.Equal(["g++", "libtorch-dev"], packages.Take(2));
        Assert.DoesNotContain("npm", packages);
    }

    [Fact]
    public void Of_ManagedStandIn_TakesNothing() =>
        Assert.Empty(Prerequisites.Of([Family(new PackageRecipe { Id = "A", Description = "", Project = "feed/A" })], cuda: false));

    private static PackageFamily Family(PackageRecipe package) => new()
    {
        Name = package.Id, Version = "1.0.0", VersionProperty = "V", Reference = package.Id, Origin = "", Packages = [package],
    };
}
