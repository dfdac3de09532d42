using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class IndexingTests
{
    private static Tensor Grid() => arange(12, dtype: float32).view(3, 4);

    [Fact]
    public void Index_NumbersAndRanges()
    {
        using var scope = NewDisposeScope();
        var x = Grid();
        TensorAssert.Close([4, 5, 6, 7], x[1]);
        Assert.Equal(6f, x[1, 2].item<float>());
        TensorAssert.Close([8, 9, 10, 11], x[-1]);
        TensorAssert.Close([5, 6, 9, 10], x[TensorIndex.Slice(1, null), TensorIndex.Slice(1, 3)]);
        TensorAssert.Close([1, 5, 9], x[.., 1]);
        TensorAssert.Close([3, 7, 11], x[TensorIndex.Ellipsis, ^1]);
        TensorAssert.Close([0, 2], x[0, TensorIndex.Slice(step: 2)]);
        TensorAssert.Close([4, 5, 8, 9], x[1.., ..2]);
        TensorAssert.Shape(x[TensorIndex.None, 0], 1, 4);
        TensorAssert.Shape(x[TensorIndex.Colon, TensorIndex.None], 3, 1, 4);
    }

    [Fact]
    public void Index_TensorsAndMasks()
    {
        using var scope = NewDisposeScope();
        var x = Grid();
        var rows = tensor(new long[] { 2, 0 });
        TensorAssert.Close([8, 9, 10, 11, 0, 1, 2, 3], x[rows]);
        TensorAssert.Close([11, 1], x[rows, tensor(new long[] { 3, 1 })]);
        TensorAssert.Close([9, 1], x[TensorIndex.Tensor(rows), TensorIndex.Single(1)]);
        TensorAssert.Close([2, 0, 6, 4, 10, 8], x[TensorIndex.Colon, TensorIndex.Tensor(rows)]);
        TensorAssert.Close([10, 11], x[x > 9]);
        TensorAssert.Close([6, 7, 8], x.masked_select((x > 5) & (x < 9)));
    }

    [Fact]
    public void IndexPut_ChangesTheTensor()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        x[0] = tensor(new[] { 1f, 2f, 3f });
        x[1, 1] = tensor(5f);
        x[TensorIndex.Ellipsis, 2] = tensor(9f);
        TensorAssert.Close([1, 2, 9, 0, 5, 9], x);
        x[x > 4] = tensor(-1f);
        TensorAssert.Close([1, 2, -1, 0, -1, -1], x);
        var counts = zeros(3);
        counts.index_put_(ones(4), new[] { tensor(new long[] { 0, 2, 2, 2 }) }, accumulate: true);
        TensorAssert.Close([1, 0, 3], counts);
    }

    [Fact]
    public void Gather_AndScatter()
    {
        using var scope = NewDisposeScope();
        var x = Grid();
        var index = tensor(new long[] { 1, 0, 3, 2, 0, 0 }, [3, 2]);
        TensorAssert.Close([1, 0, 7, 6, 8, 8], x.gather(1, index));
        var columns = tensor(new long[] { 1, 2 }, [2, 1]);
        TensorAssert.Close([0, 5, 0, 0, 0, 7], zeros(2, 3).scatter(1, columns, tensor(new[] { 5f, 7f }, [2, 1])));
        var sums = zeros(3);
        sums.scatter_add_(0, tensor(new long[] { 0, 0, 2 }), tensor(new[] { 1f, 2f, 4f }));
        TensorAssert.Close([3, 0, 4], sums);
    }

    [Fact]
    public void IndexSelect_Add_Copy_Fill()
    {
        using var scope = NewDisposeScope();
        var rows = tensor(new long[] { 2, 0, 2 });
        TensorAssert.Close([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11], Grid().index_select(0, rows));
        var sums = zeros(3, 1);
        sums.index_add_(0, rows, tensor(new[] { 1f, 2f, 4f }, [3, 1]), 1);
        TensorAssert.Close([2, 0, 5], sums);
        TensorAssert.Close([4, 0, 10], sums.index_add(0, rows, tensor(new[] { 1f, 2f, 4f }, [3, 1]), 1.0));
        TensorAssert.Close([7, 0, 5], sums.index_copy(0, tensor(new long[] { 0 }), tensor(new[] { 7f }, [1, 1])));
        TensorAssert.Close([9, 0, 9], sums.index_fill(0, rows, 9));
    }

    [Fact]
    public void Where_AndMaskedFill()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, -2f, 3f });
        TensorAssert.Close([1, 0, 3], where(x > 0, x, zeros_like(x)));
        TensorAssert.Close([1, double.NegativeInfinity, 3], x.masked_fill(x < 0, double.NegativeInfinity));
        TensorAssert.Close([0, 1, 0], nn.functional.one_hot(tensor(new long[] { 1 }), 3));
        TensorAssert.Close([1, 2], searchsorted(tensor(new[] { 0f, 1f, 2f }), tensor(new[] { 0.5f, 1.5f })));
    }
}
