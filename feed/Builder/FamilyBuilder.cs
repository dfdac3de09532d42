namespace LatentMoE.Feed;

/// <summary>Builds a family's packages into the feed folder.</summary>
internal sealed class FamilyBuilder(FeedPaths paths, TarballFolder tarballs, Compiler compiler, bool cuda)
{
    private const string NativeFolder = "runtimes/linux-x64/native/";
    private const string ManagedFolder = "lib/net10.0/";

    /// <param name="versions">The versions of all ids that this run builds.</param>
    public void Build(PackageFamily family, IReadOnlyDictionary<string, string> versions)
    {
        foreach (PackageRecipe package in family.Packages)
        {
            string version = versions[package.Id];
            string path = paths.Package(package.Id, version);
            if (File.Exists(path))
                continue;
            Dictionary<string, string> dependencies = package.Dependencies.ToDictionary(
                d => d.Key, d => d.Value.Length > 0 ? d.Value : versions[d.Key]);
            List<PackageEntry> entries = [.. Files(package), .. Compiled(package)];
            NuGetPackageWriter.Write(path, package.Id, version, package.Description, dependencies, entries);
        }
    }

    private IEnumerable<PackageEntry> Files(PackageRecipe package)
    {
        foreach (PackageFile file in package.Files.Where(f => cuda || !f.CudaOnly))
        {
            string source = Path.Combine(file.Tarball is { } tarball ? tarballs.Open(tarball) : paths.Root, file.From);
            if (!file.From.EndsWith('/'))
            {
                if (!File.Exists(source))
                    throw new FeedException($"{package.Id}: {file.Tarball ?? "the repository"} has no {file.From}");
                yield return new PackageEntry(source, file.To);
                continue;
            }
            if (!Directory.Exists(source))
                throw new FeedException($"{package.Id}: {file.Tarball ?? "the repository"} has no folder {file.From}");
            foreach (string found in Directory.GetFiles(source).Order(StringComparer.Ordinal))
                yield return new PackageEntry(found, file.To + Path.GetFileName(found));
        }
    }

    private IEnumerable<PackageEntry> Compiled(PackageRecipe package)
    {
        if (package.Assembly is { } assembly)
        {
            string sources = Path.Combine(tarballs.Open(assembly.Tarball), assembly.Sources);
            string dll = compiler.Assembly(assembly, sources, package.Dependencies.Where(d => d.Value.Length > 0));
            yield return new PackageEntry(dll, ManagedFolder + Path.GetFileName(dll));
        }
        if (package.Project is { } project)
            foreach (string file in compiler.Project(project))
                yield return new PackageEntry(file, ManagedFolder + Path.GetFileName(file));
        if (package.NativeLibrary is { } native)
            yield return new PackageEntry(compiler.NativeLibrary(native), NativeFolder + native.File);
    }
}
