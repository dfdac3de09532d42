namespace LatentMoE.Runtime;

/// <summary>How a file of a package compares with the package's manifest.</summary>
public enum PackageFileState
{
    /// <summary>Size and SHA-256 are those of the manifest.</summary>
    Intact,

    /// <summary>Size or SHA-256 differ.</summary>
    Differs,

    /// <summary>The manifest names it, and it is not there.</summary>
    Missing,

    /// <summary>The manifest does not name it, or gives no SHA-256 of it.</summary>
    Unlisted,
}

/// <summary>A file of a package.</summary>
/// <param name="Size">In bytes, as found.</param>
public sealed record PackageFile(string Name, long Size, PackageFileState State);
