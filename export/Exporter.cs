using LatentMoE.Checkpoints;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Package;
using LatentMoE.Export.Parity;

namespace LatentMoE.Export;

/// <summary>
/// Turns a checkpoint folder into a model package: checked first, written beside its place, compared with the reference logits, then
/// published.
/// </summary>
public static class Exporter
{
    /// <exception cref="CheckpointException">
    /// The checkpoint or the disk does not allow it; the message says why. Nothing is left under the output's name, or the package
    /// that was there before.
    /// </exception>
    /// <exception cref="ParityException">The package's logits differ from the reference; likewise.</exception>
    public static ExportResult Run(
        ExportOptions options, IProgress<ExportProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (!ExportOptions.Precisions.Contains(options.Precision))
        {
            throw new CheckpointException($"precision \"{options.Precision}\" is not one of: "
                + $"{string.Join(", ", ExportOptions.Precisions)}.");
        }
        try
        {
            return Write(options, progress, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{options.Checkpoint}: cannot be read: {e.Message}", e);
        }
    }

    private static ExportResult Write(ExportOptions options, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        var config = ModelConfig.Load(options.Checkpoint);
        GroupQueryLimits.Check(config, options.Checkpoint);
        var tokenizer = TokenizerFiles.Load(options.Checkpoint, config);
        using var tensors = CheckpointTensors.Open(options.Checkpoint);
        var (model, data) = DecoderGraph.Build(config, new CheckpointWeights(tensors, config));
        try
        {
            using var folder = PackageFolder.Create(options.Output, options.Checkpoint);
            DiskSpace.Require(folder.Path, data.Length);
            ModelFiles.Write(folder.Path, model, data, progress, cancellation);
            tokenizer.CopyTo(folder.Path);
            GenAIConfig.Write(folder.Path, config, tokenizer);
            var parity = ParityCheck.Run(folder.Path, options.Checkpoint, config, progress, cancellation);
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Output)));
            ModelCard.Write(folder.Path, name, options, config, parity);
            var files = Manifest.Write(folder.Path, options, config, parity);
            cancellation.ThrowIfCancellationRequested();
            folder.Publish();
            return new(options.Output, files, parity);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{options.Output}: cannot be written: {e.Message} The package takes "
                + $"{DiskSpace.Text(data.Length)}; free space or choose another folder. Nothing was left half-written.", e);
        }
    }
}
