namespace LatentMoE.Feed;

/// <summary>
/// The folder in which generated projects live: inside the repository, so that the user's NuGet configuration holds for it, but
/// out of reach of the repository's build settings and of the feed.
/// </summary>
internal static class Workspace
{
    public static void Create(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (string name in (string[])["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"])
            File.WriteAllText(Path.Combine(folder, name), "<Project />\n");
        File.WriteAllText(Path.Combine(folder, "NuGet.config"), """
            <configuration>
              <disabledPackageSources>
                <add key="latentmoe-feed" value="true" />
              </disabledPackageSources>
            </configuration>

            """);
    }
}
