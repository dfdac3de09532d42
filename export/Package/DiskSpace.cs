using System.Globalization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Package;

/// <summary>Room for a package, asked for before anything is written.</summary>
internal static class DiskSpace
{
    // The graph, tokenizer files and model card.
    private const long Beside = 4 << 20;

    /// <param name="folder">An existing folder on the disk in question.</param>
    /// <param name="weights">Bytes of the data file.</param>
    /// <exception cref="CheckpointException">There is less.</exception>
    public static void Require(string folder, long weights)
    {
        long available = new DriveInfo(folder).AvailableFreeSpace;
        if (available < weights + Beside)
        {
            throw new CheckpointException($"{folder}: the package takes {Text(weights + Beside)}, but only {Text(available)} are free "
                + "there; free space or choose another folder.");
        }
    }

    /// <summary>A number of bytes for people.</summary>
    public static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:#,0.0} MB");
}
