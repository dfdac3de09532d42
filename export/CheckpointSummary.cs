using System.Globalization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export;

/// <summary>What was read of a checkpoint, and what was left.</summary>
public sealed record CheckpointSummary
{
    public required ModelConfig Config { get; init; }

    /// <summary>Number of safetensors files.</summary>
    public required int Files { get; init; }

    /// <summary>The model's tensors by element type, most first.</summary>
    public required IReadOnlyList<(string Type, int Count)> Types { get; init; }

    /// <summary>How many of the model's tensors are dequantised.</summary>
    public required int Dequantised { get; init; }

    /// <summary>The blocks of those.</summary>
    public BlockQuantization? Quantization { get; init; }

    /// <summary>Keys of config.json that do not change what the model computes.</summary>
    public required IReadOnlyList<string> IgnoredKeys { get; init; }

    /// <summary>Tensors that the model does not need, by the reason.</summary>
    public required IReadOnlyList<(string Reason, int Count)> SkippedTensors { get; init; }

    /// <summary>The summary for people, line by line.</summary>
    public IEnumerable<string> Lines()
    {
        var c = Config;
        string attention = c.IsLatent ? Invariant($"latent attention of {c.NumAttentionHeads} heads, {c.KvLoraRank} + {c.QkRopeHeadDim} numbers cached")
            : Invariant($"attention of {c.NumAttentionHeads} heads, {c.NumKeyValueHeads} with keys");
        string experts = c.IsMoE ? Invariant($", {c.NumExpertsPerTok} of {c.NRoutedExperts} routed and {c.NSharedExperts} shared experts of {c.MoeIntermediateSize}") : "";
        yield return Invariant($"checkpoint {c.ModelType}: {c.NumHiddenLayers} layers of width {c.HiddenSize}, {attention}{experts}, vocabulary {c.VocabSize:N0}, context {c.MaxPositionEmbeddings:N0}, {ModelSize.Of(c).TotalParameters:N0} parameters");
        string types = string.Join(", ", Types.Select(t => Invariant($"{t.Count:N0} {t.Type}")));
        string dequantised = Dequantised > 0 ? Invariant($"; {Dequantised:N0} dequantised in blocks of {Quantization!.Rows} x {Quantization.Columns}") : "";
        yield return Invariant($"tensors: {types} in {Files} file{(Files == 1 ? "" : "s")}{dequantised}");
        if (c.RopeScaling is YarnScaling yarn)
        {
            yield return Invariant($"positions: YaRN, {yarn.Factor:0.###} times {yarn.OriginalMaxPositionEmbeddings:N0}; factor on cosines and sines {yarn.RotaryFactor:0.######}, on scores {yarn.ScoreFactor:0.######}");
        }
        if (IgnoredKeys.Count > 0)
        {
            yield return $"ignored in config.json, without effect on the model: {string.Join(", ", IgnoredKeys)}";
        }
        foreach (var (reason, count) in SkippedTensors)
        {
            yield return Invariant($"skipped: {count:N0} tensor{(count == 1 ? "" : "s")} of {reason}");
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
