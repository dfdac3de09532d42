using System.Runtime.InteropServices;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>float32 matrices with the values that another format gives back: the same model without its encoding.</summary>
internal sealed class RoundedFormat(WeightFormat inner) : WeightFormat
{
    public override StoredTensor[] Tensors(string name, long[] shape) => [new(name, DataType.Float, shape)];

    public override EncodedRows Encode(WeightRows rows) => new(MemoryMarshal.AsBytes<float>(inner.Decode(inner.Encode(rows))).ToArray(), []);

    public override float[] Decode(EncodedRows rows) => Float32.Decode(rows);

    public override string Widen(NodeList f, string[] parts, int rank) => parts[0];
}
