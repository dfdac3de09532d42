using LatentMoE.Checkpoints;

namespace LatentMoE.Export;

/// <summary>What to export, and where to.</summary>
public sealed record ExportOptions
{
    /// <summary>Folder of a Hugging Face checkpoint; null for <see cref="Random"/> weights.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>A model to make up, for measurements; null for a checkpoint.</summary>
    public RandomModel? Random { get; init; }

    /// <summary>Folder of the package: created, or replaced where it holds a package already.</summary>
    public required string Output { get; init; }

    /// <summary>Type of the weights: one of <see cref="Precisions"/>.</summary>
    public string Precision { get; init; } = "f32";

    /// <summary>Type of the cache: one of <see cref="Caches"/>.</summary>
    public string Cache { get; init; } = "f32";

    /// <summary>
    /// The precisions that can be exported. int8 and int4 quantise linear layers and experts in blocks, and keep the embedding and the
    /// latent's expansion in float16. Norms, router, activations and logits are float32 in all of them.
    /// </summary>
    public static IReadOnlyList<string> Precisions => Formats.Precision.Names;

    public static IReadOnlyList<string> Caches { get; } = ["f32", "f16"];

    /// <summary>Whether the package computes with the checkpoint's very numbers.</summary>
    internal bool IsExact => Precision == "f32" && Cache == "f32";
}

/// <summary>A model of random weights.</summary>
/// <param name="Name">Of its preset.</param>
/// <param name="Seed">Equal seeds give equal weights.</param>
public sealed record RandomModel(string Name, ModelConfig Config, int Seed = 1);

/// <summary>How far an export is.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Fraction">Of this stage, 0 to 1.</param>
public readonly record struct ExportProgress(string Stage, double Fraction);

/// <summary>A file of a package or of its source.</summary>
/// <param name="Sha256">Lower-case hexadecimal digits.</param>
public sealed record HashedFile(string Name, long Size, string Sha256);
