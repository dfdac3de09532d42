using System.Runtime.InteropServices;
using LatentMoE.Runtime.Internals.Serving;

namespace LatentMoE.Runtime.Tests.Serving;

/// <summary>Rows are filled with bytes that name row and token, and looked at through Save.</summary>
[Collection(nameof(TestPackages))]
public sealed unsafe class RowCacheTests : IDisposable
{
    private readonly LanguageModel _model = TestPackages.Load("Glm4Moe"); // several heads
    private readonly RowCache _rows;
    private readonly byte* _memory;

    public RowCacheTests()
    {
        _rows = new RowCache(_model.Pool.Graph, 4);
        _memory = (byte*)NativeMemory.Alloc((nuint)(_rows.BytesPerToken * TestPackages.Context));
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _rows.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void BytesPerToken_CountsKeysAndValuesOfEveryLayer() => Assert.Equal(2 * 2 * 4 * 16 * sizeof(float), _rows.BytesPerToken);

    [Fact]
    public void Save_OfLoad_IsTheSame()
    {
        Fill(1, 7, 33, 5);
        Fill(2, 0, TestPackages.Context, 6);
        Assert.True(Holds(1, 7, 33, 5));
        Assert.True(Holds(2, 0, TestPackages.Context, 6));
        Assert.True(Holds(1, 0, 7, 0));
        Assert.True(Holds(0, 0, TestPackages.Context, 0));
    }

    [Theory]
    [InlineData(300, 300)]
    [InlineData(300, 17)]
    [InlineData(17, 300)]
    [InlineData(120, 0)]
    [InlineData(0, 1)]
    public void Swap_ExchangesTheTokensOfTwoRows(int tokens, int others)
    {
        Fill(0, 0, tokens, 3);
        Fill(3, 0, others, 9);
        Fill(1, 0, 10, 4);
        _rows.Swap(0, tokens, 3, others);
        Assert.True(Holds(3, 0, tokens, 3));
        Assert.True(Holds(0, 0, others, 9));
        Assert.True(Holds(1, 0, 10, 4));
    }

    [Fact]
    public void Release_LeavesZerosOrWhatWasThereAndItsNeighboursAlone()
    {
        for (int row = 0; row < 3; row++)
        {
            Fill(row, 0, TestPackages.Context, (byte)(row + 1));
        }
        _rows.Release(1);
        Assert.True(Holds(0, 0, TestPackages.Context, 1));
        Assert.True(Holds(2, 0, TestPackages.Context, 3));
        _rows.Save(1, 0, TestPackages.Context, (nint)_memory);
        long zeros = new ReadOnlySpan<byte>(_memory, (int)(_rows.BytesPerToken * TestPackages.Context)).Count((byte)0);
        Assert.True(zeros > _rows.BytesPerToken * TestPackages.Context / 2, $"{zeros} bytes were given back");
    }

    private void Fill(int row, int start, int count, byte value)
    {
        new Span<byte>(_memory, (int)(count * _rows.BytesPerToken)).Fill(value);
        _rows.Load(row, start, count, (nint)_memory);
    }

    private bool Holds(int row, int start, int count, byte value)
    {
        _rows.Save(row, start, count, (nint)_memory);
        return new ReadOnlySpan<byte>(_memory, (int)(count * _rows.BytesPerToken)).IndexOfAnyExcept(value) < 0;
    }
}
