using System.Globalization;

namespace LatentMoE.Benchmarks.Checks;

/// <summary>How a package ran on a device, beside its standard operators on the CPU.</summary>
/// <param name="Difference">Largest difference of two logits, as a share of their range.</param>
/// <param name="Limit">The largest that passes.</param>
/// <param name="SameTokens">Tokens that both chose alike, up to the first other one.</param>
/// <param name="Tokens">Tokens that each chose.</param>
/// <param name="Gap">How far apart the first two unlike choices were for the standard operators, as a share of the range.</param>
/// <param name="Copies">Nodes that copy tensors between host and device, which a captured step cannot have.</param>
internal sealed record ModelCheckResult(
    string Model, string Precision, string Activations, double Difference, double Limit, int SameTokens, int Tokens, double? Gap, int Copies)
{
    /// <summary>Logits are close, choices part only where the two best are as close, and nothing is copied.</summary>
    public bool Passed => Difference <= Limit && (Gap ?? 0) <= 2 * Limit && Copies == 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Passed ? "pass" : "fail")} {Model}: logits max abs diff {Difference:0.0e+0} of the range (limit {Limit:0.0e+0}), ")
        + string.Create(CultureInfo.InvariantCulture, $"{SameTokens} of {Tokens} greedy tokens alike")
        + (Gap is { } gap ? string.Create(CultureInfo.InvariantCulture, $", then two that lie {gap:0.0e+0} apart") : "")
        + (Copies == 0 ? "" : $", {Copies} copies between host and device in the graph");
}
