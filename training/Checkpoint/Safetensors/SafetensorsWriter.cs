using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Checkpoints;

/// <summary>A tensor to write: its description, and a callback that writes exactly its bytes, little endian, row-major.</summary>
public sealed record SafetensorsEntry(string Name, SafetensorsType DType, long[] Shape, Action<Stream> Write)
{
    public long ByteLength => Shape.Aggregate((long)DType.Size(), (product, extent) => checked(product * extent));

    public static SafetensorsEntry Of(string name, long[] shape, float[] values) => Of(name, SafetensorsType.F32, shape, MemoryMarshal.AsBytes<float>(values));

    public static SafetensorsEntry Of(string name, long[] shape, double[] values) => Of(name, SafetensorsType.F64, shape, MemoryMarshal.AsBytes<double>(values));

    public static SafetensorsEntry Of(string name, long[] shape, long[] values) => Of(name, SafetensorsType.I64, shape, MemoryMarshal.AsBytes<long>(values));

    public static SafetensorsEntry Of(string name, SafetensorsType dtype, long[] shape, ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        return new(name, dtype, shape, stream => stream.Write(copy));
    }
}

/// <summary>Writes safetensors files: under a temporary name first, renamed when whole.</summary>
public static class SafetensorsWriter
{
    public static void Write(string path, IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Wider types first keeps every tensor aligned to its element size.
        var ordered = entries.OrderByDescending(e => e.DType.Size()).ToList();
        var header = new JsonObject();
        if (metadata is { Count: > 0 })
        {
            header["__metadata__"] = new JsonObject(metadata.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        }
        long offset = 0;
        foreach (var e in ordered)
        {
            header.Add(e.Name, new JsonObject
            {
                ["dtype"] = e.DType.ToString(),
                ["shape"] = new JsonArray([.. e.Shape.Select(extent => (JsonNode?)extent)]),
                ["data_offsets"] = new JsonArray(offset, offset + e.ByteLength),
            });
            offset += e.ByteLength;
        }
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        int padded = (json.Length + 7) / 8 * 8;
        AtomicFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)padded);
            stream.Write(prefix);
            stream.Write(json);
            stream.Write("        "u8[..(padded - json.Length)]);
            foreach (var e in ordered)
            {
                long before = stream.Position;
                e.Write(stream);
                if (stream.Position - before != e.ByteLength)
                {
                    throw new InvalidOperationException($"tensor {e.Name} wrote {stream.Position - before} bytes; {e.DType} [{string.Join(", ", e.Shape)}] takes {e.ByteLength}");
                }
            }
        });
    }
}
