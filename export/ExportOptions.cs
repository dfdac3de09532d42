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

    /// <summary>Type of the values between operators: one of <see cref="FloatTypes"/>. Operators compute in float32.</summary>
    public string Activations { get; init; } = "f32";

    /// <summary>Type of the cache; null for the type of the activations, beside which float32 ones alone leave a choice: f16.</summary>
    public string? Cache { get; init; }

    /// <summary>
    /// The precisions that can be exported. int8 and int4 quantise linear layers and experts in blocks, and keep the embedding and the
    /// latent's expansion in float16, or in the type of 16-bit activations. Norms and router are float32 in all of them.
    /// </summary>
    public static IReadOnlyList<string> Precisions => Formats.Precision.Names;

    public static IReadOnlyList<string> FloatTypes => Formats.FloatTypes.Names;

    /// <summary>The type that the cache has.</summary>
    internal string CacheType => Cache ?? Activations;

    /// <summary>Whether the package computes with the checkpoint's very numbers.</summary>
    internal bool IsExact => Precision == "f32" && CacheType == "f32";

    /// <summary>The options of the exporter's command line that choose the types, where they are not the defaults.</summary>
    internal string TypeArguments =>
        new[] { ("precision", Precision, "f32"), ("activations", Activations, "f32"), ("cache", CacheType, Activations) }
            .Where(option => option.Item2 != option.Item3).Aggregate("", (text, option) => $"{text} --{option.Item1}={option.Item2}");

    /// <exception cref="CheckpointException">A type is unknown, or two do not go together.</exception>
    internal void Validate()
    {
        Require("precision", Precision, Precisions);
        Require("activations", Activations, FloatTypes);
        string[] precisions = Activations == "f32" ? [.. Precisions] : [Activations, "int8", "int4"];
        if (!precisions.Contains(Precision))
        {
            throw new CheckpointException($"weights of {Precision} do not go with activations of {Activations}. Export with "
                + $"--precision={string.Join(", ", precisions[..^1])} or {precisions[^1]}.");
        }
        string[] caches = Activations == "f32" ? ["f32", "f16"] : [Activations];
        Require("cache", CacheType, caches, Activations == "f32" ? "" : $" with activations of {Activations}");
    }

    private static void Require(string name, string value, IReadOnlyList<string> known, string when = "")
    {
        if (!known.Contains(value))
        {
            throw new CheckpointException($"{name} \"{value}\" is not one of{when}: {string.Join(", ", known)}.");
        }
    }
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
