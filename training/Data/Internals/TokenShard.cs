using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Data.Internals;

/// <summary>
/// A memory-mapped file of tokens: a 64-byte header (magic, version, bytes of a token, tokens, 8 bytes unused, SHA-256 of the rest), then
/// little-endian unsigned integers. Checked whole when opened.
/// </summary>
internal sealed unsafe class TokenShard : IDisposable
{
    public const int HeaderBytes = 64, Version = 1;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _tokens;
    private readonly int _width;

    private TokenShard(MemoryMappedFile map, MemoryMappedViewAccessor view, byte* start, int width, long count)
    {
        _tokens = start + HeaderBytes;
        (_map, _view, _width, Count) = (map, view, width, count);
    }

    public static ReadOnlySpan<byte> Magic => "LMTOKENS"u8;

    public long Count { get; }

    public static string PathOf(string folder, string name, int index) => Path.Combine(folder, $"{name}-{index:D5}.tokens");

    /// <exception cref="CheckpointException">The file is not a shard, is cut short, or its checksum is wrong.</exception>
    public static TokenShard Open(string path)
    {
        long length = new FileInfo(path).Length;
        if (length <= HeaderBytes)
        {
            throw Damaged(path, $"has {length} bytes; a shard has more than {HeaderBytes}");
        }
        var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        MemoryMappedViewAccessor view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var header = new ReadOnlySpan<byte>(start, HeaderBytes);
            int version = BinaryPrimitives.ReadInt32LittleEndian(header[8..]), width = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
            long count = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
            if (!header.StartsWith(Magic) || version != Version || width is not (2 or 4))
            {
                throw Damaged(path, "does not begin as a token shard");
            }
            if (length - HeaderBytes != count * width)
            {
                throw Damaged(path, $"announces {count} tokens of {width} bytes but has {length - HeaderBytes} bytes of them");
            }
            using var content = new UnmanagedMemoryStream(start + HeaderBytes, length - HeaderBytes);
            if (!header[32..].SequenceEqual(SHA256.HashData(content)))
            {
                throw Damaged(path, "has a wrong checksum");
            }
            return new TokenShard(map, view, start, width, count);
        }
        catch
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            map.Dispose();
            throw;
        }
    }

    public void Read(long offset, Span<long> into)
    {
        for (int i = 0; i < into.Length; i++)
        {
            into[i] = this[offset + i];
        }
    }

    public void Read(long offset, Span<int> into)
    {
        for (int i = 0; i < into.Length; i++)
        {
            into[i] = this[offset + i];
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }

    private int this[long index] => _width == 2 ? ((ushort*)_tokens)[index] : ((int*)_tokens)[index];

    private static CheckpointException Damaged(string path, string what) => new($"{path}: {what}. Delete its folder: the shards are made again from the text.");
}
