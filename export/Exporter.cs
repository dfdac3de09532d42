using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Graph;
using LatentMoE.Export.Package;
using LatentMoE.Export.Parity;
using LatentMoE.Export.Sources;

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
        options.Validate();
        try
        {
            using var source = ModelSource.Open(options);
            return Write(options, source, progress, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{options.Checkpoint}: cannot be read: {e.Message}", e);
        }
    }

    private static ExportResult Write(
        ExportOptions options, ModelSource source, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        var config = source.Config;
        var (cache, activations) = (FloatTypes.Of(options.CacheType), FloatTypes.Of(options.Activations));
        GroupQueryLimits.Check(config, source.Origin, cache, activations);
        var precision = Precision.Of(options.Precision, config, activations);
        var (model, data) = DecoderGraph.Build(config, source.Weights, precision, cache, activations);
        // What the package is compared with, where its numbers are not the checkpoint's.
        var twin = options.IsExact || !ParityCheck.IsPossible(source.Checkpoint) ? null
            : new ModelFiles(DecoderGraph.Build(config, source.Weights, precision.Rounded()));
        long room = data.Length + (twin?.Length ?? 0);
        try
        {
            using var folder = PackageFolder.Create(options.Output, source.Checkpoint);
            DiskSpace.Require(folder.Path, room);
            new ModelFiles((model, data)).Write(folder.Path, "writing weights", progress, cancellation);
            var tokenizer = source.WriteTokenizer(folder.Path);
            GenAIConfig.Write(folder.Path, config, tokenizer);
            var parity = Check(folder.Path, twin, source, progress, cancellation);
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Output)));
            ModelCard.Write(folder.Path, name, options, config, parity);
            var files = Manifest.Write(folder.Path, options, config, parity);
            cancellation.ThrowIfCancellationRequested();
            folder.Publish();
            return new(options.Output, files, parity, source.Summary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{options.Output}: cannot be written: {e.Message} Writing the package takes "
                + $"{DiskSpace.Text(room)}; free space or choose another folder. Nothing was left half-written.", e);
        }
    }

    private static ParityReport? Check(
        string package, ModelFiles? twin, ModelSource source, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        if (source.Checkpoint is not string checkpoint)
        {
            return null;
        }
        if (twin is null)
        {
            return ParityCheck.Run(package, checkpoint, source.Config, null, progress, cancellation);
        }
        string beside = Path.Combine(package, ".float32");
        Directory.CreateDirectory(beside);
        twin.Write(beside, "writing the same values in float32", progress, cancellation);
        var report = ParityCheck.Run(package, checkpoint, source.Config, beside, progress, cancellation);
        Directory.Delete(beside, recursive: true);
        return report;
    }
}
