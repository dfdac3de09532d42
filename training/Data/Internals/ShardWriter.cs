using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LatentMoE.Training.Data.Internals;

/// <summary>
/// Writes a token stream as shard files of a fixed number of tokens, the last one shorter. Without <see cref="Complete"/> the last shard
/// stays without a header, and cannot be opened.
/// </summary>
internal sealed class ShardWriter : IDisposable
{
    private readonly string _folder, _name;
    private readonly int _width, _tokensPerShard;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? _shard;
    private long _inShard;
    private int _shards;

    /// <param name="folder">Where to write.</param>
    /// <param name="name">The files are <c>name-00000.tokens</c> and so on.</param>
    /// <param name="width">Bytes of a token, 2 or 4.</param>
    /// <param name="tokensPerShard">Tokens of every shard but the last.</param>
    public ShardWriter(string folder, string name, int width, int tokensPerShard)
    {
        (_folder, _name, _width, _tokensPerShard) = (folder, name, width, tokensPerShard);
    }

    public long Count { get; private set; }

    public void Write(ReadOnlySpan<int> tokens)
    {
        while (tokens.Length > 0)
        {
            if (_shard is null || _inShard == _tokensPerShard)
            {
                Finish();
                _shard = File.Create(TokenShard.PathOf(_folder, _name, _shards++));
                _shard.Write(new byte[TokenShard.HeaderBytes]);
            }
            int part = (int)Math.Min(tokens.Length, _tokensPerShard - _inShard);
            byte[] bytes = Pack(tokens[..part]);
            _shard.Write(bytes);
            _hash.AppendData(bytes);
            _inShard += part;
            Count += part;
            tokens = tokens[part..];
        }
    }

    /// <summary>Finishes the last shard: the stream is whole.</summary>
    public void Complete() => Finish();

    public void Dispose()
    {
        _shard?.Dispose();
        _hash.Dispose();
    }

    private byte[] Pack(ReadOnlySpan<int> tokens)
    {
        if (_width == 4)
        {
            return MemoryMarshal.AsBytes(tokens).ToArray();
        }
        var bytes = new byte[2 * tokens.Length];
        Span<ushort> packed = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
        for (int i = 0; i < tokens.Length; i++)
        {
            packed[i] = checked((ushort)tokens[i]);
        }
        return bytes;
    }

    // The header comes last, so an unfinished shard is never taken for a whole one.
    private void Finish()
    {
        if (_shard is null)
        {
            return;
        }
        Span<byte> header = stackalloc byte[TokenShard.HeaderBytes];
        header.Clear();
        TokenShard.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], TokenShard.Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], _width);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], _inShard);
        _hash.GetHashAndReset(header[32..]);
        _shard.Position = 0;
        _shard.Write(header);
        _shard.Dispose();
        _shard = null;
        _inShard = 0;
    }
}
