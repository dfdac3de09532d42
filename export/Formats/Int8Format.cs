using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>Numbers from −127 to 127, one a byte.</summary>
internal sealed class Int8Format(int block) : BlockFormat(block)
{
    public override string Suffix => "Int8";

    protected override DataType Stored => DataType.Int8;

    protected override int ElementsPerByte => 1;

    protected override float Largest => 127;

    protected override void Pack(ReadOnlySpan<float> values, float factor, Span<byte> data)
    {
        for (int i = 0; i < values.Length; i++)
        {
            data[i] = (byte)(sbyte)Math.Clamp(MathF.Round(values[i] * factor), -127, 127);
        }
    }

    protected override void Unpack(ReadOnlySpan<byte> data, Span<float> numbers)
    {
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (sbyte)data[i];
        }
    }

    protected override string Numbers(NodeList f, string data) => f.Cast(data, DataType.Float);
}
