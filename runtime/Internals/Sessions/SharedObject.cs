using System.Buffers.Binary;
using System.Text;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>The libraries that a shared object asks the loader for, read from the file without loading it (ELF64, little-endian).</summary>
internal static class SharedObject
{
    private const int HeaderSize = 64, SegmentSize = 56, EntrySize = 16, LongestName = 4096;
    private const int Load = 1, Dynamic = 2; // of a segment
    private const long End = 0, Needed = 1, Strings = 5; // of an entry in the dynamic segment

    /// <summary>Names as <c>libcublas.so.13</c>, in the order of the file; none where it is not such a file.</summary>
    public static IReadOnlyList<string> Dependencies(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return Read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OverflowException)
        {
            return [];
        }
    }

    private static string[] Read(FileStream file)
    {
        byte[] header = At(file, 0, HeaderSize);
        bool elf = header.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8);
        if (!elf || BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(54)) != SegmentSize)
        {
            return [];
        }
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56));
        byte[] table = At(file, Long(header, 32), count * SegmentSize);
        var segments = Enumerable.Range(0, count).Select(i => new Segment(table.AsSpan(i * SegmentSize, SegmentSize))).ToArray();
        var entries = segments.Where(s => s.Type == Dynamic).SelectMany(s => Entries(file, s)).TakeWhile(e => e.Tag != End).ToArray();
        long strings = entries.FirstOrDefault(e => e.Tag == Strings).Value;
        var home = segments.FirstOrDefault(s => s.Type == Load && strings >= s.Address && strings - s.Address < s.Size);
        return home.Size == 0 ? [] : [.. entries.Where(e => e.Tag == Needed).Select(e => Text(file, checked(strings - home.Address + home.Offset + e.Value)))];
    }

    private static IEnumerable<(long Tag, long Value)> Entries(FileStream file, Segment segment)
    {
        byte[] bytes = At(file, segment.Offset, checked((int)Math.Min(segment.Size, 1 << 20)));
        return Enumerable.Range(0, bytes.Length / EntrySize).Select(i => (Long(bytes, i * EntrySize), Long(bytes, i * EntrySize + 8)));
    }

    private static string Text(FileStream file, long offset)
    {
        byte[] bytes = At(file, offset, checked((int)Math.Min(LongestName, file.Length - offset)));
        int end = Array.IndexOf(bytes, (byte)0);
        return Encoding.UTF8.GetString(bytes, 0, end < 0 ? bytes.Length : end);
    }

    private static byte[] At(FileStream file, long offset, int count)
    {
        if (offset < 0 || count < 0 || offset > file.Length - count)
        {
            throw new EndOfStreamException();
        }
        file.Position = offset;
        byte[] bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static long Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes[offset..]);

    private readonly struct Segment(ReadOnlySpan<byte> bytes)
    {
        public readonly uint Type = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        public readonly long Offset = Long(bytes, 8), Address = Long(bytes, 16), Size = Long(bytes, 32);
    }
}
