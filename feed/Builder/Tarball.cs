using System.Formats.Tar;
using System.IO.Compression;

namespace LatentMoE.Feed;

/// <summary>Reads npm tarballs, whose entries all lie under one top folder, usually "package".</summary>
internal static class Tarball
{
    /// <summary>Extracts the regular files whose path below the top folder starts with one of the prefixes.</summary>
    public static void Extract(string tarball, string folder, IReadOnlyCollection<string> prefixes)
    {
        using FileStream file = File.OpenRead(tarball);
        using GZipStream unzipped = new(file, CompressionMode.Decompress);
        using TarReader reader = new(unzipped);
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                continue;
            string path = entry.Name[(entry.Name.IndexOf('/') + 1)..];
            if (!prefixes.Any(p => path.StartsWith(p, StringComparison.Ordinal)))
                continue;
            string target = Path.GetFullPath(Path.Combine(root, path));
            if (!target.StartsWith(root, StringComparison.Ordinal))
                throw new FeedException($"{tarball}: entry '{entry.Name}' points outside of the archive");
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            entry.ExtractToFile(target, overwrite: true);
        }
    }
}
