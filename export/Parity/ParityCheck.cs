using LatentMoE.Checkpoints;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Export.Parity;

/// <summary>
/// Runs a package on the reference sequences of its checkpoint: whole, and token by token through the cache. Its logits are compared
/// with the reference's, and the cache that each way leaves behind with that of whole sequences. A package with other types than float32
/// is compared with a float32 package of its weights' values instead, so that only its operators count, and what these round.
/// </summary>
internal static class ParityCheck
{
    /// <summary>Largest difference that passes, as a share of the range.</summary>
    public const double Limit = 1e-4;

    /// <summary>Largest root mean square that passes for a float16 cache against a float32 one.</summary>
    public const double HalfCacheLimit = 5e-3;

    /// <summary>The same where activations too are float16, or bfloat16, which keeps three bits less of a number.</summary>
    public const double HalfLimit = 1e-2, BrainLimit = 5e-2;

    /// <summary>Said wherever figures would stand.</summary>
    public static string Skipped(ExportOptions options) => options.Random is null
        ? "the checkpoint has no " + ReferenceLogits.FileName + " to compare with" : "random weights have no reference to compare with";

    private const string Twin = "float32 form";

    private const string Remedy = "Nothing was published. If the weights and " + ReferenceLogits.FileName + " are of different runs, or the "
        + "run diverged, train again; otherwise report this message.";

    /// <summary>Whether there is anything to compare with.</summary>
    public static bool IsPossible(string? checkpoint) => checkpoint is not null && File.Exists(Path.Combine(checkpoint, ReferenceLogits.FileName));

    /// <summary>Null where the checkpoint has no reference logits.</summary>
    /// <param name="twin">A float32 package of the values that the package's weights stand for; null where the reference has these values.</param>
    /// <exception cref="ParityException">A tensor is not what it should be.</exception>
    public static ParityReport? Run(
        string package, string checkpoint, ModelConfig config, string? twin = null, IProgress<ExportProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        if (ReferenceLogits.Load(checkpoint, config) is not { } reference)
        {
            return null;
        }
        string runtime = OrtEnv.Instance().GetVersionString();
        try
        {
            var report = Compare(package, twin, config, reference, progress, cancellation) with { Runtime = runtime };
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

    private static ParityReport Compare(
        string package, string? twin, ModelConfig config, ReferenceLogits reference, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        var modes = DecodingMode.All(reference.Tokens);
        var report = new ParityReport(Limit, Measure.Maximum, "", reference.Rows, reference.Tokens, []);
        Decoded? expected = null, whole = null;
        if (twin is not null)
        {
            using var session = new DecoderSession(twin, config, modes[0].Level);
            expected = session.Decode(reference.InputIds, reference.Rows, modes[0].Steps, modes[0].Room);
        }
        var lines = new List<ParityLine>();
        int done = 0;
        foreach (var level in modes.GroupBy(m => m.Level))
        {
            using var session = new DecoderSession(package, config, level.Key);
            if (session.CacheType != TensorElementType.Float)
            {
                double limit = session.CacheType == TensorElementType.BFloat16 ? BrainLimit
                    : session.LogitsType == TensorElementType.Float16 ? HalfLimit : HalfCacheLimit;
                report = report with { Limit = limit, Measure = Measure.RootMeanSquare };
            }
            foreach (var mode in level)
            {
                progress?.Report(new("checking parity", (double)done++ / modes.Count));
                cancellation.ThrowIfCancellationRequested();
                var decoded = session.Decode(reference.InputIds, reference.Rows, mode.Steps, mode.Room);
                RequireFinite(session, mode, decoded);
                lines.Add(Compare("logits", mode.Name, twin is null ? "reference" : Twin, decoded.Logits, expected?.Logits ?? reference.Logits, report.Measure));
                if ((expected ?? whole) is Decoded other)
                {
                    lines.AddRange(session.CacheNames.Select((name, i) =>
                        Compare(name, mode.Name, twin is null ? modes[0].Name : Twin, decoded.Cache[i], other.Cache[i], report.Measure)));
                }
                whole ??= decoded;
            }
        }
        progress?.Report(new("checking parity", 1));
        return expected is null ? report with { Lines = lines } : report with
        {
            Lines = lines,
            Rounding = Rounding.Of(reference.InputIds, reference.Rows, whole!.Logits, reference.Logits),
            Choice = Choice.Of(reference.InputIds.Length, whole.Logits, expected.Logits),
        };
    }

    private static ParityException Failure(ParityReport report)
    {
        var worst = report.Lines.MaxBy(line => line.Relative)!;
        return new($"{worst.Tensor} ({worst.Mode}) differs from {worst.Against} by {worst.Difference:g3}, "
            + $"{worst.Relative:g3} of its range; at most {report.Limit:g1} is allowed.", report);
    }

    private static void RequireFinite(DecoderSession session, DecodingMode mode, Decoded decoded)
    {
        string end = session.LogitsType == TensorElementType.Float16
            ? "; float16 ends at 65504, which activations of this model may exceed. Export with --activations=bf16 or f32." : ".";
        foreach (var (tensor, values) in session.CacheNames.Zip(decoded.Cache).Prepend(("logits", decoded.Logits)))
        {
            if (Array.FindIndex(values, value => !float.IsFinite(value)) is int at and >= 0)
            {
                throw new ParityException($"{tensor} ({mode.Name}) holds {values[at]} at element {at}; expected finite numbers{end}");
            }
        }
    }

    private static ParityLine Compare(string tensor, string mode, string against, float[] actual, float[] expected, Measure measure)
    {
        if (actual.Length != expected.Length)
        {
            throw new ParityException($"{tensor} ({mode}) has {actual.Length} elements; {against} has {expected.Length}.");
        }
        var (difference, range) = Difference.Of(actual, expected, measure);
        return new(tensor, mode, against, difference, range);
    }
}
