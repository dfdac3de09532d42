using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>float32, float16 or bfloat16, rounded to nearest, ties to even.</summary>
internal sealed class FloatFormat(DataType type) : WeightFormat
{
    public override StoredTensor[] Tensors(string name, long[] shape) => [new(name, type, shape)];

    public override EncodedRows Encode(WeightRows rows) => new(type switch
    {
        DataType.Float => MemoryMarshal.AsBytes(rows.Values).ToArray(),
        DataType.Float16 => Halves(rows),
        _ => Brains(rows),
    }, []);

    public override float[] Decode(EncodedRows rows)
    {
        var result = new float[rows.Data.Length / (type == DataType.Float ? sizeof(float) : sizeof(ushort))];
        switch (type)
        {
            case DataType.Float:
                rows.Data.CopyTo(MemoryMarshal.AsBytes(result.AsSpan()));
                break;
            case DataType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(rows.Data), result);
                break;
            default:
                var bits = MemoryMarshal.Cast<byte, ushort>(rows.Data);
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                }
                break;
        }
        return result;
    }

    public override string Widen(NodeList f, string[] parts, int rank) => type == DataType.Float ? parts[0] : f.Cast(parts[0], DataType.Float);

    private static byte[] Halves(WeightRows rows)
    {
        var bytes = new byte[rows.Values.Length * sizeof(ushort)];
        Span<Half> halves = MemoryMarshal.Cast<byte, Half>(bytes.AsSpan());
        TensorPrimitives.ConvertToHalf(rows.Values, halves);
        for (int i = 0; i < halves.Length; i++)
        {
            if (Half.IsInfinity(halves[i]))
            {
                throw rows.Refusal(i, "float16 ends at 65504. Export with --precision=f32 or bf16.");
            }
        }
        return bytes;
    }

    private static byte[] Brains(WeightRows rows)
    {
        var bytes = new byte[rows.Values.Length * sizeof(ushort)];
        Span<ushort> brains = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
        for (int i = 0; i < brains.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(rows.Values[i]);
            uint rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
            if ((rounded & 0x7F80) == 0x7F80)
            {
                throw rows.Refusal(i, "bfloat16 ends at 3.39e38. Export with --precision=f32.");
            }
            brains[i] = (ushort)rounded;
        }
        return bytes;
    }
}
