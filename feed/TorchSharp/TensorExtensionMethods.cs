// Extension methods of tensors: numbers out of them, and their binary form.
using TorchSharp.Internals;
using static TorchSharp.torch;

namespace TorchSharp;

public static class TensorExtensionMethods
{
    private const string Remedy = "Make sure that the model you are loading into is exactly the same as the origin.";

    public static Modules.Parameter AsParameter(this Tensor tensor) => new(tensor);

    public static Half ToHalf(this Tensor value) => value.ToScalar().ToHalf();

    public static float ToSingle(this Tensor value) => value.ToScalar().ToSingle();

    public static double ToDouble(this Tensor value) => value.ToScalar().ToDouble();

    public static sbyte ToSByte(this Tensor value) => value.ToScalar().ToSByte();

    public static byte ToByte(this Tensor value) => value.ToScalar().ToByte();

    public static short ToInt16(this Tensor value) => value.ToScalar().ToInt16();

    public static int ToInt32(this Tensor value) => value.ToScalar().ToInt32();

    public static long ToInt64(this Tensor value) => value.ToScalar().ToInt64();

    public static bool ToBoolean(this Tensor value) => value.ToScalar().ToBoolean();

    public static long TotalSize(this IEnumerable<long> shape) => shape.Aggregate(1L, (total, size) => total * size);

    public static int ElementSize(this ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        _ => 8,
    };

    /// <summary>Writes element type, rank, sizes (LEB128 integers) and the elements' bytes.</summary>
    public static void Save(this Tensor tensor, BinaryWriter writer)
    {
        using var scope = NewDisposeScope();
        bool copied = tensor.device_type != DeviceType.CPU;
        if (copied)
            tensor = tensor.to(CPU);
        writer.Encode((int)tensor.dtype);
        writer.Encode(tensor.ndim);
        foreach (long size in tensor.shape)
            writer.Encode(size);
        writer.Flush();
        tensor.detach().contiguous().WriteBytesToStream(writer.BaseStream);
    }

    /// <summary>Overwrites the tensor with one of the same type and shape; with skip, only moves past it.</summary>
    public static void Load(this Tensor tensor, BinaryReader reader, bool skip = false)
    {
        var (type, shape) = ReadHeader(reader);
        if (type != tensor.dtype)
            throw new ArgumentException($"Mismatched tensor data types while loading. {Remedy}");
        if (skip)
        {
            reader.BaseStream.Seek(shape.TotalSize() * type.ElementSize(), SeekOrigin.Current);
            return;
        }
        if (!shape.SequenceEqual(tensor.shape))
            throw new ArgumentException($"Mismatched tensor shape while loading. {Remedy}");
        ReadElements(tensor, reader);
    }

    public static Tensor Load(BinaryReader reader, bool skip = false)
    {
        Tensor? tensor = null;
        Load(ref tensor, reader, skip);
        return tensor!;
    }

    public static void Load(ref Tensor? tensor, BinaryReader reader, bool skip = false)
    {
        var (type, shape) = ReadHeader(reader);
        if (tensor is null)
            tensor = zeros(shape, type);
        else if (!skip && !shape.SequenceEqual(tensor.shape))
            throw new ArgumentException($"Mismatched tensor shape while loading. {Remedy}");
        if (skip)
            reader.BaseStream.Seek(shape.TotalSize() * type.ElementSize(), SeekOrigin.Current);
        else
            ReadElements(tensor, reader);
    }

    internal static bool WillCopy(this Tensor tensor, ScalarType? dtype, Device? device)
    {
        var description = tensor.Describe();
        return (dtype is not null && description.DType != (int)dtype)
            || (device is not null && (description.DeviceType != (int)device.type || description.DeviceIndex != device.index));
    }

    private static (ScalarType Type, long[] Shape) ReadHeader(BinaryReader reader)
    {
        var type = (ScalarType)reader.Decode();
        var shape = new long[reader.Decode()];
        for (int i = 0; i < shape.Length; i++)
            shape[i] = reader.Decode();
        return (type, shape);
    }

    private static void ReadElements(Tensor tensor, BinaryReader reader)
    {
        using var mode = no_grad();
        using var buffer = empty(tensor.shape, tensor.dtype, CPU);
        buffer.ReadBytesFromStream(reader.BaseStream);
        tensor.copy_(buffer);
    }
}
