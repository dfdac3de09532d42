using System.Runtime.InteropServices;
using Google.Protobuf;

namespace LatentMoE.Export.Onnx;

/// <summary>Small tensors that live in the model file itself, and type declarations.</summary>
internal static class Tensors
{
    /// <summary>An int64 vector; a scalar when <paramref name="scalar"/> is set.</summary>
    public static TensorProto Of(ReadOnlySpan<long> values, bool scalar = false) =>
        Make(TensorProto.Types.DataType.Int64, values.Length, MemoryMarshal.AsBytes(values), scalar);

    public static TensorProto Of(ReadOnlySpan<float> values, bool scalar = false) =>
        Make(TensorProto.Types.DataType.Float, values.Length, MemoryMarshal.AsBytes(values), scalar);

    public static TensorProto Of(ReadOnlySpan<Half> values, bool scalar = false) =>
        Make(TensorProto.Types.DataType.Float16, values.Length, MemoryMarshal.AsBytes(values), scalar);

    public static TensorProto Of(ReadOnlySpan<byte> values, bool scalar = false) =>
        Make(TensorProto.Types.DataType.Uint8, values.Length, values, scalar);

    /// <summary>Numbers are fixed extents, words symbolic ones; no extents at all leaves the shape open.</summary>
    public static TypeProto Type(TensorProto.Types.DataType type, params object[]? extents)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type };
        if (extents is not null)
        {
            tensor.Shape = new();
            foreach (object extent in extents)
            {
                tensor.Shape.Dim.Add(extent is string word ? new TensorShapeProto.Types.Dimension { DimParam = word }
                    : new() { DimValue = Convert.ToInt64(extent) });
            }
        }
        return new() { TensorType = tensor };
    }

    private static TensorProto Make(TensorProto.Types.DataType type, int count, ReadOnlySpan<byte> bytes, bool scalar)
    {
        var tensor = new TensorProto { DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        if (!scalar)
        {
            tensor.Dims.Add(count);
        }
        return tensor;
    }
}
