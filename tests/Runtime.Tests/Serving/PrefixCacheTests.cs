using System.Runtime.InteropServices;
using LatentMoE.Runtime.Internals.Serving;

namespace LatentMoE.Runtime.Tests.Serving;

[Collection(nameof(TestPackages))]
public sealed unsafe class PrefixCacheTests : IDisposable
{
    private const int Block = PrefixCache.BlockTokens;
    private readonly LanguageModel _model = TestPackages.Load("LatentMoE");
    private readonly RowCache _rows;

    public PrefixCacheTests() => _rows = new RowCache(_model.Pool.Graph, 2);

    public void Dispose()
    {
        _rows.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Restore_GivesTheLongestKnownStartOfWholeBlocksShortOfTheLastToken()
    {
        using var cache = new PrefixCache(_rows, 1 << 20);
        int[] tokens = Sequence(1, 3 * Block + 5);
        Write(0, tokens);
        cache.Keep(tokens, 0);
        Assert.Equal(3 * Block * _rows.BytesPerToken, cache.Bytes);
        Assert.Equal(3 * Block, Restored(cache, tokens));
        Assert.Equal(3 * Block, Restored(cache, [.. tokens[..(3 * Block)], 7]));
        Assert.Equal(2 * Block, Restored(cache, tokens[..(3 * Block)]));
        Assert.Equal(2 * Block, Restored(cache, [.. tokens[..(3 * Block - 1)], 999, 1, 2]));
        Assert.Equal(0, Restored(cache, [999, .. tokens[1..]]));
        Assert.Equal(0, Restored(cache, []));
        Assert.Equal(0, Restored(cache, tokens[..Block]));
    }

    [Fact]
    public void Keep_WithoutRoom_TakesTheLeastRecentlyUsedEnds()
    {
        using var cache = new PrefixCache(_rows, 4 * Block * _rows.BytesPerToken);
        int[] old = Sequence(1, 2 * Block), young = Sequence(2, 2 * Block), third = Sequence(3, Block);
        Keep(cache, old);
        Keep(cache, young);
        Assert.Equal(2 * Block, Restored(cache, [.. old, 1])); // now the younger one is the least recently used
        Keep(cache, third);
        Assert.Equal(4 * Block * _rows.BytesPerToken, cache.Bytes);
        Assert.Equal(2 * Block, Restored(cache, [.. old, 1]));
        Assert.Equal(Block, Restored(cache, [.. young, 1]));
        Assert.Equal(Block, Restored(cache, [.. third, 1]));
    }

    [Fact]
    public void Keep_LongerThanTheRoom_KeepsItsStart()
    {
        using var cache = new PrefixCache(_rows, 3 * Block * _rows.BytesPerToken);
        int[] tokens = Sequence(4, 10 * Block);
        Keep(cache, tokens);
        Keep(cache, tokens);
        Assert.Equal(3 * Block, Restored(cache, tokens));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void Keep_WithoutMemoryForABlock_KeepsNothing(long bytes)
    {
        using var cache = new PrefixCache(_rows, bytes);
        int[] tokens = Sequence(5, 3 * Block);
        Keep(cache, tokens);
        Assert.Equal((0, 0L), (Restored(cache, tokens), cache.Bytes));
    }

    [Fact]
    public void Restore_OfManySequences_NeverGivesAnothersTokens()
    {
        using var cache = new PrefixCache(_rows, 20 * Block * _rows.BytesPerToken);
        var random = new Random(9);
        int hits = 0;
        for (int i = 0; i < 2000; i++)
        {
            int[] tokens = [.. Enumerable.Range(0, 1 + random.Next(4)).SelectMany(_ => Sequence(random.Next(3), Block)), random.Next(9)];
            int known = Restored(cache, tokens); // compares every token's cache
            hits += known / Block;
            Write(0, tokens);
            cache.Keep(tokens, 0);
        }
        Assert.True(hits > 1000, $"{hits} blocks were found");
    }

    private void Keep(PrefixCache cache, int[] tokens)
    {
        Write(0, tokens);
        cache.Keep(tokens, 0);
    }

    // Tokens that came back; what stands in their place must be what was written for them and all before.
    private int Restored(PrefixCache cache, int[] tokens)
    {
        int count = cache.Restore(tokens, 1);
        Assert.True(count < Math.Max(1, tokens.Length) && count % Block == 0);
        nint memory = (nint)NativeMemory.Alloc((nuint)_rows.BytesPerToken);
        for (int i = 0; i < count; i++)
        {
            _rows.Save(1, i, 1, memory);
            Assert.Equal(-1, new ReadOnlySpan<int>((void*)memory, (int)_rows.BytesPerToken / sizeof(int)).IndexOfAnyExcept(Mark(tokens, i)));
        }
        NativeMemory.Free((void*)memory);
        return count;
    }

    // A token's cache depends on all tokens up to it.
    private void Write(int row, int[] tokens)
    {
        nint memory = (nint)NativeMemory.Alloc((nuint)_rows.BytesPerToken);
        for (int i = 0; i < tokens.Length; i++)
        {
            new Span<int>((void*)memory, (int)_rows.BytesPerToken / sizeof(int)).Fill(Mark(tokens, i));
            _rows.Load(row, i, 1, memory);
        }
        NativeMemory.Free((void*)memory);
    }

    private static int Mark(int[] tokens, int i)
    {
        int mark = 17;
        for (int k = 0; k <= i; k++)
        {
            mark = unchecked(mark * 31 + tokens[k]);
        }
        return mark;
    }

    private static int[] Sequence(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(200))];
    }
}
