// Fetches tarballs with the user's own npm, so that the user's registry, proxy and credentials count.
namespace LatentMoE.Feed;

internal sealed class NpmClient(string folder, string npm = "npm")
{
    /// <summary>The path of the checked tarball of <paramref name="id"/>.</summary>
    public string Fetch(string id, TarballPin pin)
    {
        string package = $"{id}@{pin.Version}";
        string download = Path.Combine(folder, id);
        Directory.CreateDirectory(download);
        CommandResult result = Command.TryRun(npm,
            ["pack", package, "--ignore-scripts", "--prefer-offline", "--silent", "--pack-destination", download], download)
            ?? throw new FeedException($"""
                {package}: npm is not on the PATH, and this package is not to be had without it
                Install Node.js with npm (Debian and Ubuntu: sudo apt-get install -y npm), or configure a NuGet source that carries
                the packages in question: dotnet nuget add source URL
                """);
        if (result.ExitCode != 0)
            throw new FeedException($"""
                {package}: npm could not fetch it from the configured registry (`npm config get registry`), exit code {result.ExitCode}:
                {result.Tail()}
                """);
        string tarball = Directory.GetFiles(download, "*.tgz").SingleOrDefault()
            ?? throw new FeedException($"{package}: npm reported success but left no .tgz in {download}:\n{result.Tail()}");
        Integrity.Check(tarball, package, pin.Integrity);
        return tarball;
    }
}
