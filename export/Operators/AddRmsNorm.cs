using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>
/// A residual sum and its norm (RMSNorm, arXiv 1910.07467): x [.., d], as many rows as residual [B, S, d] has, and gain [d]
/// → y [B, S, d], the norm of the sum, and sum [B, S, d]. The sum is rounded to the type of the activations before it is normed.
/// </summary>
internal sealed class AddRmsNorm(double epsilon, DataType activations = DataType.Float) : Operator
{
    public override string Name => "AddRmsNorm";

    public override IReadOnlyList<string> Inputs => ["x", "residual", "gain"];

    public override IReadOnlyList<string> Outputs => ["y", "sum"];

    public override IReadOnlyList<AttributeProto> Attributes => [NodeAttribute.Float("epsilon", epsilon)];

    protected override string[] Body(NodeList f)
    {
        string x = f.Reshape(f.Widen("x", activations), f.Shape("residual")); // (B, S, d)
        string sum = f.Narrow(f.Add(f.Widen("residual", activations), x), activations);
        return [f.RmsNorm(sum, "gain", epsilon, activations), sum];
    }
}
