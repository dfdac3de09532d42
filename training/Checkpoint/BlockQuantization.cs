namespace LatentMoE.Checkpoints;

/// <summary>
/// Weights in F8_E4M3 as DeepSeek-V3 publishes them (arXiv 2412.19437, section 3.3.2): every block of a matrix has a factor, in the
/// tensor of the weight's name with <see cref="ScaleSuffix"/> behind it. The last block of a row or column may be partial.
/// </summary>
/// <param name="Rows">Of a block.</param>
/// <param name="Columns">Of a block.</param>
public sealed record BlockQuantization(int Rows, int Columns)
{
    public const string ScaleSuffix = "_scale_inv";

    /// <summary>The shape of a matrix's factors.</summary>
    public long[] ScaleShape(IReadOnlyList<long> shape) => [(shape[0] + Rows - 1) / Rows, (shape[1] + Columns - 1) / Columns];
}
