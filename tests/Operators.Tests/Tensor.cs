using System.Runtime.InteropServices;
using LatentMoE.Export.Formats;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>A value of a test: element type, extents, and the elements as they lie in memory.</summary>
internal sealed record Tensor(DataType Type, long[] Shape, byte[] Bytes)
{
    public static Tensor Of(float[] values, params long[] shape) => new(DataType.Float, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public static Tensor Of(int[] values, params long[] shape) => new(DataType.Int32, shape, MemoryMarshal.AsBytes<int>(values).ToArray());

    public static Tensor Of(long[] values, params long[] shape) => new(DataType.Int64, shape, MemoryMarshal.AsBytes<long>(values).ToArray());

    public static Tensor Halves(float[] values, params long[] shape) =>
        new(DataType.Float16, shape, MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, v => (Half)v)).ToArray());

    /// <summary>A float tensor's numbers in float32, float16 or bfloat16.</summary>
    public Tensor As(DataType type) => type switch
    {
        DataType.Float => Of(Floats, Shape),
        DataType.Float16 => Halves(Floats, Shape),
        DataType.Bfloat16 => new(type, Shape, MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(Floats, Bits16)).ToArray()),
        _ => throw new ArgumentException($"{type} holds no floats"),
    };

    /// <summary>Normal numbers.</summary>
    public static Tensor Random(RandomNumbers random, double deviation, params long[] shape) => Of(random.Normal(Count(shape), deviation), shape);

    /// <summary>The tensors, one or two, that hold normal numbers in a format.</summary>
    public static Tensor[] Weights(WeightFormat format, RandomNumbers random, double deviation, params long[] shape)
    {
        var rows = format.Encode(new WeightRows("random", 0, random.Normal(Count(shape), deviation)));
        return [.. format.Tensors("random", shape).Zip([rows.Data, rows.Scales], (stored, bytes) => new Tensor(stored.Type, stored.Shape, bytes))];
    }

    public static Tensor Read(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        var type = info.ElementDataType switch
        {
            TensorElementType.Float => DataType.Float,
            TensorElementType.Float16 => DataType.Float16,
            TensorElementType.BFloat16 => DataType.Bfloat16,
            TensorElementType.Int64 => DataType.Int64,
            TensorElementType.Int32 => DataType.Int32,
            var other => throw new ArgumentException($"no output is of type {other}"),
        };
        return new(type, info.Shape, value.GetTensorMutableRawData().ToArray());
    }

    /// <summary>The elements of a tensor of floats.</summary>
    public float[] Floats => Type == DataType.Float ? MemoryMarshal.Cast<byte, float>(Bytes).ToArray()
        : Type == DataType.Float16 ? Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Bytes).ToArray(), h => (float)h)
        : Type == DataType.Bfloat16 ? Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(Bytes).ToArray(), b => BitConverter.UInt32BitsToSingle((uint)b << 16))
        : throw new InvalidOperationException($"a tensor of {Type} holds no floats");

    public long[] Longs => Type == DataType.Int64 ? MemoryMarshal.Cast<byte, long>(Bytes).ToArray()
        : throw new InvalidOperationException($"a tensor of {Type} holds no int64");

    public int[] Ints => Type == DataType.Int32 ? MemoryMarshal.Cast<byte, int>(Bytes).ToArray()
        : throw new InvalidOperationException($"a tensor of {Type} holds no int32");

    public OrtValue ToValue()
    {
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Type switch
        {
            DataType.Float => TensorElementType.Float,
            DataType.Float16 => TensorElementType.Float16,
            DataType.Bfloat16 => TensorElementType.BFloat16,
            DataType.Int8 => TensorElementType.Int8,
            DataType.Uint8 => TensorElementType.UInt8,
            DataType.Int32 => TensorElementType.Int32,
            DataType.Int64 => TensorElementType.Int64,
            _ => throw new InvalidOperationException($"no test uses {Type}"),
        }, Shape);
        Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    // To the nearest bfloat16, ties to even.
    private static ushort Bits16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (a, b) => a * b);
}
