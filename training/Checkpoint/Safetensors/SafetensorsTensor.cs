using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LatentMoE.Checkpoints.Internals;

namespace LatentMoE.Checkpoints;

/// <summary>One named tensor of an open <see cref="SafetensorsFile"/>: a view of the mapped file, valid until the file is disposed.</summary>
public sealed class SafetensorsTensor
{
    private readonly SafetensorsFile file;
    private readonly long offset;

    internal SafetensorsTensor(SafetensorsFile file, string name, SafetensorsType dtype, long[] shape, long offset, long length)
    {
        (this.file, Name, DType, Shape, this.offset, Length) = (file, name, dtype, shape, offset, length);
    }

    public string Name { get; }
    public SafetensorsType DType { get; }
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Path of the file that holds the tensor.</summary>
    public string File => file.Path;

    public long ByteLength => Length * DType.Size();

    /// <summary>The raw bytes, little endian, row-major.</summary>
    /// <exception cref="CheckpointException">The tensor has more than 2 GiB; copy it in parts with <see cref="CopyTo"/>.</exception>
    public ReadOnlySpan<byte> Bytes => ByteLength <= int.MaxValue ? file.Span(offset, (int)ByteLength)
        : throw new CheckpointException($"{File}: tensor {Name} has {ByteLength} bytes; at most {int.MaxValue} can be viewed at once.");

    /// <summary>The elements as <typeparamref name="T"/>, whose size must be the stored type's.</summary>
    public ReadOnlySpan<T> Span<T>() where T : unmanaged
    {
        if (Marshal.SizeOf<T>() != DType.Size())
        {
            throw new ArgumentException($"tensor {Name} holds {DType}, not {typeof(T).Name}");
        }
        return MemoryMarshal.Cast<byte, T>(Bytes);
    }

    /// <summary>Writes the raw bytes to a stream, whatever their number.</summary>
    public void CopyTo(Stream stream)
    {
        const int Part = 1 << 24;
        for (long done = 0; done < ByteLength; done += Part)
        {
            stream.Write(file.Span(offset + done, (int)Math.Min(Part, ByteLength - done)));
        }
    }

    /// <summary>The elements as float32; exact for F32, BF16, F16 and the eight-bit types (without a block's factor), rounded for F64.</summary>
    /// <exception cref="CheckpointException">The tensor does not hold floating-point numbers.</exception>
    public float[] ToFloat32()
    {
        var result = new float[Length];
        const int Part = 1 << 24;
        for (long done = 0; done < Length; done += Part)
        {
            ToFloat32(done, result.AsSpan((int)done, (int)Math.Min(Part, Length - done)));
        }
        return result;
    }

    /// <summary>As many elements from number <paramref name="first"/> on as fit.</summary>
    /// <exception cref="CheckpointException">The tensor does not hold floating-point numbers.</exception>
    public void ToFloat32(long first, Span<float> destination)
    {
        int size = DType.Size();
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, Length - destination.Length);
        var bytes = file.Span(offset + first * size, checked(destination.Length * size));
        switch (DType)
        {
            case SafetensorsType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(destination);
                break;
            case SafetensorsType.F64:
                TensorPrimitives.ConvertTruncating<double, float>(MemoryMarshal.Cast<byte, double>(bytes), destination);
                break;
            case SafetensorsType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), destination);
                break;
            case SafetensorsType.BF16:
                var bits = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                }
                break;
            case SafetensorsType.F8_E4M3 or SafetensorsType.F8_E8M0:
                float[] values = DType == SafetensorsType.F8_E4M3 ? Float8.E4M3 : Float8.E8M0;
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = values[bytes[i]];
                }
                break;
            default:
                throw new CheckpointException($"{File}: tensor {Name} is {DType}; expected a floating-point type.");
        }
    }

    /// <summary>This tensor, if it has the given shape.</summary>
    /// <exception cref="CheckpointException">It has another.</exception>
    public SafetensorsTensor Expect(params long[] shape) => Shape.SequenceEqual(shape) ? this
        : throw new CheckpointException($"{File}: tensor {Name} has shape [{string.Join(", ", Shape)}]; config.json asks for [{string.Join(", ", shape)}].");
}
