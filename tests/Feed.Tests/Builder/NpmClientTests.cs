namespace LatentMoE.Feed.Tests.Builder;

[Collection("processes")]
public sealed class NpmClientTests : IDisposable
{
    // Writes its tarball where `npm pack … --pack-destination FOLDER` would.
    private const string Deliver = "for last; do :; done\nprintf content > \"$last/thing-1.0.0.tgz\"\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fetch_PinnedTarball_ReturnsIt()
    {
        string pin = Integrity.Of(_folder.Write("expected", "content"));
        NpmClient client = new(_folder["cache"], _folder.WriteScript("npm", Deliver));

        string tarball = client.Fetch("thing", new TarballPin("1.0.0", pin));

        Assert.Equal("content", File.ReadAllText(tarball));
    }

    [Fact]
    public void Fetch_OtherChecksum_FailsAndLeavesNoFile()
    {
        NpmClient client = new(_folder["cache"], _folder.WriteScript("npm", Deliver));

        FeedException e = Assert.Throws<FeedException>(() => client.Fetch("thing", new TarballPin("1.0.0", "sha512-other")));

        Assert.StartsWith("thing@1.0.0:", e.Message);
        Assert.Empty(Directory.GetFiles(_folder["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Fetch_WithoutNpm_SaysWhatToInstall()
    {
        NpmClient client = new(_folder["cache"], _folder["no-such-npm"]);

        FeedException e = Assert.Throws<FeedException>(() => client.Fetch("thing", new TarballPin("1.0.0", "sha512-x")));

        Assert.Contains("thing@1.0.0: npm is not on the PATH", e.Message);
        Assert.Contains("apt-get install -y npm", e.Message);
    }

    [Fact]
    public void Fetch_RefusedByRegistry_ShowsWhatNpmSaid()
    {
        NpmClient client = new(_folder["cache"], _folder.WriteScript("npm", "echo 'E404 not found' >&2\nexit 7\n"));

        FeedException e = Assert.Throws<FeedException>(() => client.Fetch("thing", new TarballPin("1.0.0", "sha512-x")));

        Assert.Contains("exit code 7", e.Message);
        Assert.Contains("E404 not found", e.Message);
    }
}
