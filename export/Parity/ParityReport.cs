namespace LatentMoE.Export.Parity;

/// <summary>One tensor of one way of calling the model, compared.</summary>
/// <param name="Tensor">Its name in the graph.</param>
/// <param name="Mode">How the model was called.</param>
/// <param name="Against">What it was compared with.</param>
/// <param name="Difference">Of two elements, in the report's measure.</param>
/// <param name="Range">Largest minus smallest element of what it was compared with.</param>
public sealed record ParityLine(string Tensor, string Mode, string Against, double Difference, double Range)
{
    /// <summary>The difference as a share of the range.</summary>
    public double Relative => Range > 0 ? Difference / Range : Difference;
}

/// <summary>How near the package comes to what it was made from, tensor by tensor.</summary>
/// <param name="Limit">Largest <see cref="ParityLine.Relative"/> that passes.</param>
/// <param name="Measure">How the differences of a tensor's elements become one number.</param>
/// <param name="Runtime">Version of ONNX Runtime that ran the package.</param>
/// <param name="Rows">Sequences compared.</param>
/// <param name="Tokens">Tokens of each.</param>
/// <param name="Rounding">What the types cost; null where they change no number.</param>
/// <param name="Choice">How often the package chooses as its float32 form does; null likewise.</param>
public sealed record ParityReport(
    double Limit, Measure Measure, string Runtime, int Rows, int Tokens, IReadOnlyList<ParityLine> Lines, Rounding? Rounding = null,
    Choice? Choice = null)
{
    public bool Passed => Lines.All(line => line.Relative <= Limit);

    /// <summary>The logits of every mode, and of the cache tensors the worst of every mode.</summary>
    public IEnumerable<ParityLine> Summary() =>
        Lines.GroupBy(line => (line.Mode, line.Tensor == "logits")).Select(group => group.MaxBy(line => line.Relative)!);
}

/// <summary>How the differences of a tensor's elements become one number.</summary>
public enum Measure
{
    /// <summary>The largest.</summary>
    Maximum,

    /// <summary>
    /// Their root mean square: for 16-bit activations or cache, whose rounding may tip a token to another expert of nearly the same score.
    /// </summary>
    RootMeanSquare,
}

internal static class Measures
{
    public static string Text(this Measure measure) => measure == Measure.Maximum ? "a difference" : "a root mean square difference";
}

/// <summary>The package computes something else than the model that it was made from.</summary>
public sealed class ParityException(string message, ParityReport? report = null) : Exception(message)
{
    /// <summary>The comparison, where it got that far.</summary>
    public ParityReport? Report { get; } = report;
}
