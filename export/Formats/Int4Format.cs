using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>
/// Numbers from −8 to 7, stored as number + 8 in four bits, the even element low. A block's scale has the sign that makes its
/// largest magnitude −8.
/// </summary>
internal sealed class Int4Format(int block) : BlockFormat(block)
{
    private const int Offset = 8;

    public override string Suffix => "Int4";

    protected override DataType Stored => DataType.Uint8;

    protected override int ElementsPerByte => 2;

    protected override float Largest => -Offset;

    protected override void Pack(ReadOnlySpan<float> values, float factor, Span<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = (byte)(Nibble(values[2 * i] * factor) | Nibble(values[2 * i + 1] * factor) << 4);
        }
    }

    protected override void Unpack(ReadOnlySpan<byte> data, Span<float> numbers)
    {
        for (int i = 0; i < data.Length; i++)
        {
            (numbers[2 * i], numbers[2 * i + 1]) = ((data[i] & 15) - Offset, (data[i] >> 4) - Offset);
        }
    }

    protected override string Numbers(NodeList f, string data)
    {
        string low = f.BitwiseAnd(data, f.Byte(15)), high = f.ShiftRight(data, f.Byte(4)); // [.., in / 2]
        string pairs = f.Concat(-1, f.Unsqueeze(low, -1), f.Unsqueeze(high, -1)); // [.., in / 2, 2]
        return f.Sub(f.Cast(pairs, DataType.Float), f.Float(Offset));
    }

    private static int Nibble(float number) => (int)Math.Clamp(MathF.Round(number), -Offset, Offset - 1) + Offset;
}
