using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>
/// Small whole numbers times a float16 scale that every block of a row's neighbours shares. Numbers are chosen for the scale as it is
/// stored.
/// </summary>
internal abstract class BlockFormat(int block) : WeightFormat
{
    public override IReadOnlyList<AttributeProto> Attributes => [NodeAttribute.Int("block_size", block)];

    public override bool Scaled => true;

    public override StoredTensor[] Tensors(string name, long[] shape)
    {
        if (shape[^1] % block != 0)
        {
            throw new ArgumentException($"{name} has rows of {shape[^1]} elements, which blocks of {block} do not fill");
        }
        string[] names = Names(name);
        return
        [
            new(names[0], Stored, [.. shape[..^1], shape[^1] / ElementsPerByte]),
            new(names[1], DataType.Float16, [.. shape[..^1], shape[^1] / block]),
        ];
    }

    public override EncodedRows Encode(WeightRows rows)
    {
        var values = rows.Values;
        byte[] data = new byte[values.Length / ElementsPerByte], scales = new byte[values.Length / block * sizeof(ushort)];
        Span<Half> stored = MemoryMarshal.Cast<byte, Half>(scales.AsSpan());
        for (int i = 0; i < stored.Length; i++)
        {
            var part = values.Slice(i * block, block);
            float largest = TensorPrimitives.MaxMagnitude(part);
            stored[i] = Scale(largest);
            if (Half.IsInfinity(stored[i]))
            {
                int at = i * block + part.IndexOf(largest);
                throw rows.Refusal(at, $"a float16 scale reaches up to {Largest * (float)Half.MaxValue:g3}. Export with --precision=f32 or bf16.");
            }
            Pack(part, largest == 0 ? 0 : 1 / (float)stored[i], data.AsSpan(i * block / ElementsPerByte, block / ElementsPerByte));
        }
        return new(data, scales);
    }

    public override float[] Decode(EncodedRows rows)
    {
        var result = new float[rows.Data.Length * ElementsPerByte];
        var scales = MemoryMarshal.Cast<byte, Half>(rows.Scales);
        for (int i = 0; i < scales.Length; i++)
        {
            var part = result.AsSpan(i * block, block);
            Unpack(rows.Data.AsSpan(i * block / ElementsPerByte, block / ElementsPerByte), part);
            TensorPrimitives.Multiply(part, (float)scales[i], part);
        }
        return result;
    }

    public override string Widen(NodeList f, string[] parts, int rank)
    {
        long[] kept = new long[rank - 1];
        string numbers = f.Reshape(Numbers(f, parts[0]), [.. kept, -1, block]); // [.., in / block, block]
        string scales = f.Unsqueeze(f.Cast(parts[1], DataType.Float), rank); // [.., in / block, 1]
        return f.Reshape(f.Mul(numbers, scales), [.. kept, -1]); // [.., in]
    }

    protected abstract DataType Stored { get; }

    protected abstract int ElementsPerByte { get; }

    /// <summary>The number that a block's largest magnitude becomes.</summary>
    protected abstract float Largest { get; }

    protected abstract void Pack(ReadOnlySpan<float> values, float factor, Span<byte> data);

    protected abstract void Unpack(ReadOnlySpan<byte> data, Span<float> numbers);

    /// <summary>The numbers of a stored tensor as float32, any shape whose last axes hold them in order.</summary>
    protected abstract string Numbers(NodeList f, string data);

    private Half Scale(float largest)
    {
        if (largest == 0)
        {
            return Half.Zero;
        }
        var scale = (Half)(largest / Largest);
        // The smallest float16 numbers are far apart: there it is rounded up, so that no number is beyond its type.
        return MathF.Abs(largest / (float)scale) <= MathF.Abs(Largest) + 0.5f ? scale
            : BitConverter.UInt16BitsToHalf((ushort)(BitConverter.HalfToUInt16Bits(scale) + 1));
    }
}
