using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>
/// y = x·Wᵀ: x [.., in], weight [out, in], with scales where its format has them → y [.., out]. LinearInt8 and LinearInt4 take
/// quantised weights; Linear takes float ones of any type, and its body is built for that of the model.
/// </summary>
internal sealed class Linear(WeightFormat? format = null, DataType activations = DataType.Float) : Operator
{
    private readonly WeightFormat format = format ?? WeightFormat.Float32;

    public override string Name => "Linear" + format.Suffix;

    public override IReadOnlyList<string> Inputs => ["x", .. Weight];

    public override IReadOnlyList<string> Outputs => ["y"];

    public override IReadOnlyList<AttributeProto> Attributes => format.Attributes;

    private string[] Weight => format.Scaled ? ["weight", "scales"] : ["weight"];

    protected override string[] Body(NodeList f)
    {
        string product = f.MatMul(f.Widen("x", activations), f.Transpose(format.Widen(f, Weight, 2), 1, 0));
        return [f.Narrow(product, activations)];
    }
}
