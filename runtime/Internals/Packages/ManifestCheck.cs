using System.Security.Cryptography;
using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>Compares a folder with its <c>manifest.json</c>. Files are named by the manifest and never lie outside the folder.</summary>
internal static class ManifestCheck
{
    public const string FileName = "manifest.json";

    /// <summary>The files that the manifest names, with their sizes and SHA-256 in hexadecimal digits; none where there is no manifest.</summary>
    /// <exception cref="CheckpointException">The manifest is damaged.</exception>
    public static IEnumerable<(string Name, long Size, string? Hash)> Entries(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            yield break;
        }
        foreach (var entry in JsonFile.Open(path).Items("files"))
        {
            string name = entry.Text("name");
            bool plain = name is not ("" or "." or "..") && Path.GetFileName(name) == name && !name.Contains('\0');
            entry.Require(plain, "name", $"is \"{name}\"; expected a file name without a folder");
            yield return (name, entry.Count("size"), entry.Find("sha256") is null ? null : entry.Text("sha256"));
        }
    }

    /// <summary>Reads every file that the manifest names; those of the folder that it does not name follow.</summary>
    public static IEnumerable<PackageFile> Check(string folder, CancellationToken cancellation)
    {
        var known = new HashSet<string> { FileName };
        foreach (var (name, size, hash) in Entries(folder))
        {
            cancellation.ThrowIfCancellationRequested();
            known.Add(name);
            yield return Check(Path.Combine(folder, name), name, size, hash);
        }
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            if (known.Add(Path.GetFileName(path)))
            {
                yield return new PackageFile(Path.GetFileName(path), new FileInfo(path).Length, PackageFileState.Unlisted);
            }
        }
    }

    private static PackageFile Check(string path, string name, long size, string? hash)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return new PackageFile(name, 0, PackageFileState.Missing);
        }
        if (file.Length != size)
        {
            return new PackageFile(name, file.Length, PackageFileState.Differs);
        }
        if (hash is null)
        {
            return new PackageFile(name, size, PackageFileState.Unlisted);
        }
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        bool same = Convert.ToHexStringLower(SHA256.HashData(stream)).Equals(hash, StringComparison.OrdinalIgnoreCase);
        return new PackageFile(name, size, same ? PackageFileState.Intact : PackageFileState.Differs);
    }
}
