using LatentMoE.Checkpoints;
using LatentMoE.Export.Package.Internals;

namespace LatentMoE.Export.Package;

/// <summary>
/// A package in the making, beside its place under the name <c>*.partial</c>. Until <see cref="Publish()"/> the place keeps what it
/// held; disposing without publishing removes every trace.
/// </summary>
internal sealed class PackageFolder : IDisposable
{
    private readonly string final, old;

    // Locked from the first look at the place to the last removal. It lies beside the folders, whose names change hands.
    private readonly FileStream owner;

    private PackageFolder(string final, string partial, FileStream owner) =>
        (this.final, Path, old, this.owner) = (final, partial, partial + ".old", owner);

    /// <summary>Where to write the files.</summary>
    public string Path { get; }

    /// <param name="checkpoint">Null for a package without one.</param>
    /// <exception cref="CheckpointException">
    /// The place holds something other than a package, or another export is writing there.
    /// </exception>
    public static PackageFolder Create(string output, string? checkpoint)
    {
        string final = Full(output), partial = final + ".partial";
        if (checkpoint is not null && (Full(checkpoint) + '/').StartsWith(final + '/', StringComparison.Ordinal))
        {
            throw new CheckpointException($"{output}: is or contains the checkpoint folder {checkpoint}; choose another folder for the "
                + "package.");
        }
        var folder = new PackageFolder(final, partial, Lock(partial + ".lock", output));
        try
        {
            folder.Restore();
            folder.RequireReplaceable(output);
            Remove(partial); // What an interrupted export left.
            Directory.CreateDirectory(partial);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Gives the folder its name. What was there before is removed afterwards.</summary>
    public void Publish() => Publish(FolderExchange.TryExchange);

    /// <param name="exchange">Swaps two folders in one step; false where it cannot.</param>
    internal void Publish(Func<string, string, bool> exchange)
    {
        if (!Directory.Exists(final))
        {
            Directory.Move(Path, final);
        }
        else if (!exchange(Path, final))
        {
            // Without an atomic exchange on this file system there is a moment without either.
            Remove(old);
            Directory.Move(final, old);
            try
            {
                Directory.Move(Path, final);
            }
            catch
            {
                Restore();
                throw;
            }
        }
        Remove(old);
    }

    public void Dispose()
    {
        Remove(Path);
        owner.Dispose();
    }

    private static FileStream Lock(string file, string output)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new CheckpointException($"{output}: another export is writing this package and holds {file}; wait for it to end.", e);
        }
    }

    // The old package, where publishing stopped between its two moves.
    private void Restore()
    {
        if (!System.IO.Path.Exists(final) && Directory.Exists(old))
        {
            Directory.Move(old, final);
        }
    }

    private void RequireReplaceable(string output)
    {
        bool taken = File.Exists(final) || (Directory.Exists(final) && Directory.EnumerateFileSystemEntries(final).Any());
        if (taken && !Manifest.IsPackage(final))
        {
            throw new CheckpointException($"{output}: exists and is not a model package ({Manifest.FileName} and {GenAIConfig.FileName} of "
                + "this program are missing); remove it or choose another folder.");
        }
    }

    private static string Full(string path) => System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
