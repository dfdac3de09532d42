using System.Buffers.Binary;
using System.Text.Json;

namespace LatentMoE.Checkpoints;

/// <summary>
/// The head of a safetensors file: a little-endian 64-bit length, then that many bytes of JSON. It is valid only if the
/// tensors cover the rest of the file exactly, without gap or overlap, each with the bytes its type and shape ask for.
/// </summary>
internal sealed class SafetensorsHeader
{
    private const long Limit = 100_000_000;

    public sealed record Entry(string Name, SafetensorsType DType, long[] Shape, long Begin, long End);

    private SafetensorsHeader(long dataStart, List<Entry> tensors, Dictionary<string, string> metadata)
    {
        (DataStart, Tensors, Metadata) = (dataStart, tensors, metadata);
    }

    public long DataStart { get; }
    public IReadOnlyList<Entry> Tensors { get; }
    public IReadOnlyDictionary<string, string> Metadata { get; }

    public static SafetensorsHeader Read(Stream stream, string path)
    {
        CheckpointException Bad(string what, Exception? inner = null) =>
            new($"{path}: {what} The file is damaged or incomplete: fetch or write it again.", inner!);

        Span<byte> prefix = stackalloc byte[8];
        if (stream.Length < 8)
        {
            throw Bad($"has {stream.Length} bytes; a safetensors file starts with an 8-byte header length.");
        }
        stream.ReadExactly(prefix);
        ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (declared > Limit || (long)declared > stream.Length - 8)
        {
            throw Bad($"declares a header of {declared} bytes at offset 0, but {stream.Length - 8} bytes follow (limit {Limit}).");
        }
        var json = new byte[declared];
        stream.ReadExactly(json);
        long start = 8 + (long)declared, size = stream.Length - start;
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>();
        try
        {
            using var document = JsonDocument.Parse(json);
            var seen = new HashSet<string>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!seen.Add(property.Name))
                {
                    throw Bad($"names tensor {property.Name} twice.");
                }
                if (property.Name == "__metadata__")
                {
                    foreach (var pair in property.Value.EnumerateObject())
                    {
                        metadata[pair.Name] = pair.Value.GetString() ?? "";
                    }
                    continue;
                }
                entries.Add(ReadEntry(property, Bad));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Bad($"has a header that is not the expected JSON: {e.Message}", e);
        }
        entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long at = 0;
        foreach (var t in entries)
        {
            if (t.Begin != at)
            {
                throw Bad($"tensor {t.Name} begins at data offset {t.Begin}; expected {at} (tensors must follow each other without gap or overlap).");
            }
            at = t.End;
        }
        return at == size ? new(start, entries, metadata)
            : throw Bad($"holds {size} bytes of tensor data from offset {start}; its header describes {at}.");
    }

    private static Entry ReadEntry(JsonProperty property, Func<string, Exception?, CheckpointException> bad)
    {
        string name = property.Name, type = property.Value.GetProperty("dtype").GetString() ?? "";
        if (!Enum.TryParse(type, out SafetensorsType dtype) || !Enum.IsDefined(dtype) || char.IsDigit(type[0]))
        {
            throw bad($"tensor {name} has dtype \"{type}\"; expected one of {string.Join(", ", Enum.GetNames<SafetensorsType>())}.", null);
        }
        long[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(x => x.GetInt64())];
        long[] offsets = [.. property.Value.GetProperty("data_offsets").EnumerateArray().Select(x => x.GetInt64())];
        long bytes;
        try
        {
            bytes = shape.Aggregate((long)dtype.Size(), (product, extent) =>
                extent >= 0 ? checked(product * extent) : throw new OverflowException());
        }
        catch (OverflowException)
        {
            throw bad($"tensor {name} has the impossible shape [{string.Join(", ", shape)}].", null);
        }
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes)
        {
            throw bad($"tensor {name} has data_offsets [{string.Join(", ", offsets)}]; {type} of shape [{string.Join(", ", shape)}] takes {bytes} bytes.", null);
        }
        return new(name, dtype, shape, offsets[0], offsets[1]);
    }
}
