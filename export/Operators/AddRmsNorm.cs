using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Operators;

/// <summary>
/// A residual sum and its norm (RMSNorm, arXiv 1910.07467): x [.., d], as many rows as residual [B, S, d] has, and gain [d]
/// → y [B, S, d], the norm of the sum, and sum [B, S, d].
/// </summary>
internal sealed class AddRmsNorm(double epsilon) : Operator
{
    public override string Name => "AddRmsNorm";

    public override IReadOnlyList<string> Inputs => ["x", "residual", "gain"];

    public override IReadOnlyList<string> Outputs => ["y", "sum"];

    public override IReadOnlyList<AttributeProto> Attributes => [NodeAttribute.Float("epsilon", epsilon)];

    protected override string[] Body(NodeList f)
    {
        string sum = f.Add("residual", f.Reshape("x", f.Shape("residual"))); // (B, S, d)
        return [f.RmsNorm(sum, "gain", epsilon), sum];
    }
}
