namespace LatentMoE.Feed;

/// <summary>Where the feed reads and writes. Packages is a NuGet source, so nothing but packages and versions.props goes there.</summary>
internal sealed record FeedPaths(string Root)
{
    public string Recipe => Path.Combine(Root, "feed", "packages.json");
    public string CentralVersions => Path.Combine(Root, "Directory.Packages.props");
    public string Packages => Path.Combine(Root, "artifacts", "feed");
    public string VersionsProps => Path.Combine(Packages, "versions.props");

    /// <summary>Emptied at the start of every run that has something to do.</summary>
    public string Work => Path.Combine(Root, "artifacts", "feed-work");

    public string Lock => Path.Combine(Root, "artifacts", "feed.lock");
    public string Stamp => Path.Combine(Root, "artifacts", "feed.stamp");

    public string Package(string id, string version) => Path.Combine(Packages, $"{id}.{version}.nupkg");
}
