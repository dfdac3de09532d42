using LatentMoE.Checkpoints;
using LatentMoE.Export;
using LatentMoE.Tests.Support;

namespace LatentMoE.Benchmarks.Tests;

/// <summary>A small package with random weights whose widths suit every precision.</summary>
internal sealed class ExportedPackage : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public ExportedPackage(ModelConfig config, string precision = "f32", string? cache = null, string activations = "f32")
    {
        string checkpoint = System.IO.Path.Combine(folder.Path, "checkpoint");
        RandomCheckpoint.Write(checkpoint, config, tokens: 8);
        Exporter.Run(new ExportOptions { Checkpoint = checkpoint, Output = Path, Precision = precision, Activations = activations, Cache = cache });
    }

    public static ModelConfig Config { get; } = TestConfigs.LatentMoE with { HiddenSize = 64, MoeIntermediateSize = 32 };

    public static ModelConfig Twin { get; } = TestConfigs.Glm4Moe with { MoeIntermediateSize = 32 };

    public string Path => System.IO.Path.Combine(folder.Path, "package");

    public string Results => System.IO.Path.Combine(folder.Path, "results");

    public void Dispose() => folder.Dispose();
}
