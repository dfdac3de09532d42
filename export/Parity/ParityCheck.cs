using LatentMoE.Checkpoints;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Export.Parity;

/// <summary>
/// Runs a package against the reference logits of its checkpoint: whole sequences, and token by token through the cache. The cache
/// that each way leaves behind is compared with that of whole sequences.
/// </summary>
internal static class ParityCheck
{
    /// <summary>Largest difference that passes for float32 weights, as a share of the logits' range.</summary>
    public const double Limit = 1e-4;

    /// <summary>Said wherever figures would stand.</summary>
    public const string Skipped = "the checkpoint has no " + ReferenceLogits.FileName + " to compare with";

    private const string Remedy = "Nothing was published. If the weights and " + ReferenceLogits.FileName + " are of different runs, or the "
        + "run diverged, train again; otherwise report this message.";

    /// <summary>Null where the checkpoint has no reference logits.</summary>
    /// <exception cref="ParityException">A tensor is not what it should be.</exception>
    public static ParityReport? Run(
        string package, string checkpoint, ModelConfig config, IProgress<ExportProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (ReferenceLogits.Load(checkpoint, config) is not { } reference)
        {
            return null;
        }
        string runtime = OrtEnv.Instance().GetVersionString();
        try
        {
            var lines = Compare(package, config, reference, progress, cancellation);
            var report = new ParityReport(Limit, runtime, reference.Rows, reference.Tokens, lines);
            return report.Passed ? report : throw Failure(report);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ParityException($"{checkpoint}: ONNX Runtime {runtime} does not run the package: {e.Message} {Remedy}");
        }
        catch (ParityException e)
        {
            throw new ParityException($"{checkpoint}: {e.Message} {Remedy}", e.Report);
        }
    }

    private static List<ParityLine> Compare(
        string package, ModelConfig config, ReferenceLogits reference, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        int tokens = reference.Tokens, half = tokens / 2;
        int[] whole = [tokens], single = [.. Enumerable.Repeat(1, tokens)];
        int[] mixed = half > 0 ? [half, .. Enumerable.Repeat(1, tokens - half)] : whole;
        // full: the whole sequence at once; grow and share: token by token; chunk: the first half at once. Plain: no optimisation.
        (string Mode, GraphOptimizationLevel Level, int[] Steps, int? Room)[] modes =
        [
            ("full", GraphOptimizationLevel.ORT_ENABLE_ALL, whole, null),
            ("grow", GraphOptimizationLevel.ORT_ENABLE_ALL, single, null),
            ("share", GraphOptimizationLevel.ORT_ENABLE_ALL, single, tokens + 3),
            ("chunk, share", GraphOptimizationLevel.ORT_ENABLE_ALL, mixed, tokens + 3),
            ("full, plain", GraphOptimizationLevel.ORT_DISABLE_ALL, whole, null),
        ];
        var lines = new List<ParityLine>();
        Decoded? first = null;
        int done = 0;
        foreach (var level in modes.GroupBy(m => m.Level))
        {
            using var session = new DecoderSession(package, config, level.Key);
            foreach (var (mode, _, steps, room) in level)
            {
                progress?.Report(new("checking parity", (double)done++ / modes.Length));
                cancellation.ThrowIfCancellationRequested();
                var decoded = session.Decode(reference.InputIds, reference.Rows, steps, room);
                lines.Add(Compare("logits", mode, "reference", decoded.Logits, reference.Logits));
                if (first is not null)
                {
                    lines.AddRange(session.CacheNames.Select((name, i) =>
                        Compare(name, mode, modes[0].Mode, decoded.Cache[i], first.Cache[i])));
                }
                first ??= decoded;
            }
        }
        progress?.Report(new("checking parity", 1));
        return lines;
    }

    private static ParityException Failure(ParityReport report)
    {
        var worst = report.Lines.MaxBy(line => line.Relative)!;
        return new($"{worst.Tensor} ({worst.Mode}) differs from {worst.Against} by {worst.MaxDifference:g3}, "
            + $"{worst.Relative:g3} of its range; at most {report.Limit:g1} is allowed.", report);
    }

    private static ParityLine Compare(string tensor, string mode, string against, float[] actual, float[] expected)
    {
        if (actual.Length != expected.Length)
        {
            throw new ParityException($"{tensor} ({mode}) has {actual.Length} elements; {against} has {expected.Length}.");
        }
        double difference = 0, low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int i = 0; i < actual.Length; i++)
        {
            if (!float.IsFinite(actual[i]))
            {
                throw new ParityException($"{tensor} ({mode}) holds {actual[i]} at element {i}; expected finite numbers.");
            }
            difference = Math.Max(difference, Math.Abs((double)actual[i] - expected[i]));
            (low, high) = (Math.Min(low, expected[i]), Math.Max(high, expected[i]));
        }
        return new(tensor, mode, against, difference, high - low);
    }
}
