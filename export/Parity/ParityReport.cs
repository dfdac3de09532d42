namespace LatentMoE.Export.Parity;

/// <summary>One tensor of one way of calling the model, compared.</summary>
/// <param name="Tensor">Its name in the graph.</param>
/// <param name="Mode">How the model was called.</param>
/// <param name="Against">What it was compared with.</param>
/// <param name="MaxDifference">Largest absolute difference of two elements.</param>
/// <param name="Range">Largest minus smallest element of what it was compared with.</param>
public sealed record ParityLine(string Tensor, string Mode, string Against, double MaxDifference, double Range)
{
    /// <summary>The difference as a share of the range.</summary>
    public double Relative => Range > 0 ? MaxDifference / Range : MaxDifference;
}

/// <summary>How near the package comes to the reference, tensor by tensor.</summary>
/// <param name="Limit">Largest <see cref="ParityLine.Relative"/> that passes.</param>
/// <param name="Runtime">Version of ONNX Runtime that ran the package.</param>
/// <param name="Rows">Sequences compared.</param>
/// <param name="Tokens">Tokens of each.</param>
public sealed record ParityReport(double Limit, string Runtime, int Rows, int Tokens, IReadOnlyList<ParityLine> Lines)
{
    public bool Passed => Lines.All(line => line.Relative <= Limit);

    /// <summary>The logits of every mode, and of the cache tensors the worst of every mode.</summary>
    public IEnumerable<ParityLine> Summary() =>
        Lines.GroupBy(line => (line.Mode, line.Tensor == "logits")).Select(group => group.MaxBy(line => line.Relative)!);
}

/// <summary>The package computes something else than the model that it was made from.</summary>
public sealed class ParityException(string message, ParityReport? report = null) : Exception(message)
{
    /// <summary>The comparison, where it got that far.</summary>
    public ParityReport? Report { get; } = report;
}
