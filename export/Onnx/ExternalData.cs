using System.Globalization;

namespace LatentMoE.Export.Onnx;

/// <summary>
/// The one file that holds every weight of a model. Offsets are multiples of 64 and fixed when a tensor is named; the bytes are
/// produced one tensor at a time while the file is written, so the model is never in memory as a whole.
/// </summary>
internal sealed class ExternalData
{
    public const string FileName = "model.onnx.data";
    private const long Alignment = 64;
    private readonly Dictionary<string, (TensorProto.Types.DataType Type, long[] Shape, long Offset, Action<Stream> Write)> tensors = [];

    /// <summary>Bytes of the file.</summary>
    public long Length { get; private set; }

    /// <summary>The initializer that refers to the new tensor, or null where a tensor of that name is already there.</summary>
    public TensorProto? Add(string name, TensorProto.Types.DataType type, long[] shape, Action<Stream> write)
    {
        if (tensors.TryGetValue(name, out var known))
        {
            return known.Type == type && known.Shape.SequenceEqual(shape) ? null
                : throw new ArgumentException($"weight {name} was named with another type or shape");
        }
        long offset = (Length + Alignment - 1) / Alignment * Alignment, length = Bytes(type, shape);
        tensors.Add(name, (type, shape, offset, write));
        Length = offset + length;
        var tensor = new TensorProto
        {
            Name = name,
            Dims = { shape },
            DataType = (int)type,
            DataLocation = TensorProto.Types.DataLocation.External,
        };
        foreach (var (key, value) in new[] { ("location", FileName), ("offset", Text(offset)), ("length", Text(length)) })
        {
            tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        }
        return tensor;
    }

    /// <summary>Writes the file's bytes; <paramref name="progress"/> is told how many there are so far.</summary>
    public void WriteTo(Stream stream, Action<long>? progress = null)
    {
        long position = 0;
        foreach (var (name, (type, shape, offset, write)) in tensors)
        {
            stream.Write(new byte[offset - position]);
            var counted = new CountingStream(stream);
            write(counted);
            long length = Bytes(type, shape);
            position = offset + length;
            if (counted.Written != length)
            {
                throw new InvalidOperationException($"weight {name} wrote {counted.Written} bytes; {type} [{string.Join(", ", shape)}] "
                    + $"takes {length}");
            }
            progress?.Invoke(position);
        }
    }

    private static long Bytes(TensorProto.Types.DataType type, long[] shape)
    {
        long size = type switch
        {
            TensorProto.Types.DataType.Float => 4,
            TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Bfloat16 => 2,
            TensorProto.Types.DataType.Int8 or TensorProto.Types.DataType.Uint8 => 1,
            _ => throw new ArgumentException($"no weight is of type {type}"),
        };
        return shape.Aggregate(size, (product, extent) => checked(product * extent));
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed class CountingStream(Stream inner) : Stream
    {
        public long Written { get; private set; }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer);
            Written += buffer.Length;
        }

        public override void Flush() => inner.Flush();

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => Written; set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
