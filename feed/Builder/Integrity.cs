using System.Security.Cryptography;

namespace LatentMoE.Feed;

/// <summary>npm's integrity strings: "sha512-" and the base64 of the file's SHA-512.</summary>
internal static class Integrity
{
    public static string Of(string path)
    {
        using FileStream file = File.OpenRead(path);
        return "sha512-" + Convert.ToBase64String(SHA512.HashData(file));
    }

    /// <summary>A file that is not the pinned one is deleted, so that nothing can use it.</summary>
    /// <exception cref="FeedException">Names the package, the pinned and the found checksum.</exception>
    public static void Check(string path, string package, string expected)
    {
        string found = Of(path);
        if (found == expected)
            return;
        File.Delete(path);
        throw new FeedException($"""
            {package}: the npm registry delivered a file that is not the pinned one; it was deleted
              expected {expected}
              found    {found}
            Check `npm config get registry`, run `npm cache clean --force` in case the cached copy is damaged, and try again.
            Change the pin in feed/packages.json only when you know why the package changed.
            """);
    }
}
