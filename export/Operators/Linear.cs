using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Operators;

/// <summary>y = x·Wᵀ: x [.., in], weight [out, in] → y [.., out].</summary>
internal sealed class Linear : Operator
{
    public override string Name => "Linear";
    public override IReadOnlyList<string> Inputs => ["x", "weight"];
    public override IReadOnlyList<string> Outputs => ["y"];

    protected override string[] Body(NodeList f) => [f.MatMul("x", f.Transpose("weight", 1, 0))];
}
