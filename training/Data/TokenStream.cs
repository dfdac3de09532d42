using LatentMoE.Checkpoints;
using LatentMoE.Training.Data.Internals;

namespace LatentMoE.Training.Data;

/// <summary>
/// Tokens of one side of a corpus, memory-mapped: the separator, a document, the separator, a document, …, the separator.
/// Reading is safe from several threads.
/// </summary>
public sealed class TokenStream : IDisposable
{
    private readonly TokenShard[] _shards;

    private TokenStream(TokenShard[] shards, int documents, string source)
    {
        _shards = shards;
        Count = shards.Sum(shard => shard.Count);
        (Documents, Source) = (documents, source);
    }

    /// <summary>Tokens, separators included.</summary>
    public long Count { get; }

    public int Documents { get; }

    /// <summary>Where the text came from, for errors: a full path or "the built-in story generator".</summary>
    public string Source { get; }

    /// <exception cref="CheckpointException">A shard is damaged, or the shards do not have <paramref name="tokens"/> tokens together.</exception>
    internal static TokenStream Open(string folder, string name, int documents, long tokens, string source)
    {
        var shards = new List<TokenShard>();
        try
        {
            do
            {
                shards.Add(TokenShard.Open(TokenShard.PathOf(folder, name, shards.Count)));
            }
            while (File.Exists(TokenShard.PathOf(folder, name, shards.Count)));
            var stream = new TokenStream([.. shards], documents, source);
            return stream.Count == tokens ? stream : throw new CheckpointException($"{TokenShard.PathOf(folder, name, shards.Count - 1)}: the shards up to this one have "
                + $"{stream.Count} tokens; expected {tokens}. Delete the folder: the shards are made again from the text.");
        }
        catch
        {
            shards.ForEach(shard => shard.Dispose());
            throw;
        }
    }

    /// <summary>Copies the tokens from <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the stream.</exception>
    public void Read(long offset, Span<long> into)
    {
        Check(offset, into.Length);
        while (into.Length > 0)
        {
            (TokenShard shard, long at, int length) = Locate(offset, into.Length);
            shard.Read(at, into[..length]);
            into = into[length..];
            offset += length;
        }
    }

    /// <inheritdoc cref="Read(long, Span{long})"/>
    public void Read(long offset, Span<int> into)
    {
        Check(offset, into.Length);
        while (into.Length > 0)
        {
            (TokenShard shard, long at, int length) = Locate(offset, into.Length);
            shard.Read(at, into[..length]);
            into = into[length..];
            offset += length;
        }
    }

    public int[] ToArray()
    {
        var tokens = new int[Count];
        Read(0, tokens);
        return tokens;
    }

    public void Dispose() => Array.ForEach(_shards, shard => shard.Dispose());

    // All shards but the last have the first one's length.
    private (TokenShard Shard, long At, int Length) Locate(long offset, int wanted)
    {
        TokenShard shard = _shards[offset / _shards[0].Count];
        long at = offset % _shards[0].Count;
        return (shard, at, (int)Math.Min(wanted, shard.Count - at));
    }

    private void Check(long offset, int length)
    {
        if (offset < 0 || offset + length > Count)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"Expected {length} tokens inside the stream's {Count}.");
        }
    }
}
