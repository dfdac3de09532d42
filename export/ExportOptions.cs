namespace LatentMoE.Export;

/// <summary>What to export, and where to.</summary>
public sealed record ExportOptions
{
    /// <summary>Folder of a Hugging Face checkpoint.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>Folder of the package: created, or replaced where it holds a package already.</summary>
    public required string Output { get; init; }

    /// <summary>Type of the weights: one of <see cref="Precisions"/>.</summary>
    public string Precision { get; init; } = "f32";

    /// <summary>The precisions that can be exported.</summary>
    public static IReadOnlyList<string> Precisions { get; } = ["f32"];
}

/// <summary>How far an export is.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Fraction">Of this stage, 0 to 1.</param>
public readonly record struct ExportProgress(string Stage, double Fraction);

/// <summary>A file of a package or of its source.</summary>
/// <param name="Sha256">Lower-case hexadecimal digits.</param>
public sealed record HashedFile(string Name, long Size, string Sha256);
