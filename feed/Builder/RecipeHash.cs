// The version suffix: NuGet's caches keep what they once saw under a version, so every change of an input must give a new one.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LatentMoE.Feed;

internal sealed class RecipeHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a labelled text; the label keeps neighbouring texts apart.</summary>
    public RecipeHash Add(string label, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        _hash.AppendData(Encoding.UTF8.GetBytes($"{label}:{bytes.Length}:"));
        _hash.AppendData(bytes);
        return this;
    }

    /// <summary>Adds a file, or the files below a folder in the order of their paths, without build output.</summary>
    public RecipeHash AddPath(string root, string path)
    {
        string full = Path.Combine(root, path);
        if (!Directory.Exists(full))
            return Add(path, File.Exists(full) ? File.ReadAllText(full) : "(absent)");
        foreach (string file in SourceFiles(full).Order(StringComparer.Ordinal))
            Add(Path.GetRelativePath(root, file), File.ReadAllText(file));
        return this;
    }

    public string Hex(int digits) => Convert.ToHexStringLower(_hash.GetCurrentHash())[..digits];

    public void Dispose() => _hash.Dispose();

    /// <summary>The version of a family's packages: the vendor's, with a suffix that stands for all inputs.</summary>
    /// <param name="neededVersion">The version of the family that this one needs.</param>
    public static string Version(FeedPaths paths, Recipe recipe, PackageFamily family, bool cuda, string? neededVersion)
    {
        using RecipeHash hash = new();
        hash.Add("family", JsonSerializer.Serialize(family)).AddPath(paths.Root, "feed/Builder");
        foreach (string tarball in family.Tarballs(cuda))
            hash.Add(tarball, recipe.Tarballs[tarball].Integrity);
        foreach (PackageRecipe package in family.Packages)
        {
            if (package.Project is { } project)
                hash.AddPath(paths.Root, project);
            if (package.NativeLibrary is { } native)
                hash.AddPath(paths.Root, Path.GetDirectoryName(native.Script)!).Add("libtorch", Prerequisites.LibtorchVersion() ?? "");
            foreach (PackageFile file in package.Files.Where(f => f.Tarball is null))
                hash.AddPath(paths.Root, file.From);
        }
        hash.Add("needs", neededVersion ?? "");
        return $"{family.Version}-feed.h{hash.Hex(8)}";
    }

    /// <summary>The version of a vendor's packages that are issued again.</summary>
    public static string ReissueVersion(FeedPaths paths, PackageFamily family, string reference, string vendorVersion)
    {
        using RecipeHash hash = new();
        hash.Add("symbol", JsonSerializer.Serialize(family.UncalledSymbol)).Add("reference", reference).AddPath(paths.Root, "feed/Builder");
        return $"{vendorVersion}-feed.h{hash.Hex(8)}";
    }

    private static IEnumerable<string> SourceFiles(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
            yield return file;
        foreach (string below in Directory.EnumerateDirectories(folder))
            if (Path.GetFileName(below) is not ("bin" or "obj"))
                foreach (string file in SourceFiles(below))
                    yield return file;
    }
}
