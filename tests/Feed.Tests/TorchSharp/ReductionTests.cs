using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class ReductionTests
{
    private static Tensor Matrix() => tensor(new[] { 3f, 1f, 2f, 6f, 5f, 4f }, [2, 3]);

    [Fact]
    public void Sum_Mean_Var()
    {
        using var scope = NewDisposeScope();
        var x = Matrix();
        Assert.Equal(21f, x.sum().item<float>());
        TensorAssert.Close([9, 6, 6], x.sum(0L));
        var kept = x.sum(1, keepdim: true);
        TensorAssert.Shape(kept, 2, 1);
        TensorAssert.Close([6, 15], kept);
        TensorAssert.Close([3.5], x.mean());
        TensorAssert.Close([2, 5], x.mean([1L]));
        TensorAssert.Close([1, 1], x.var(1));
        TensorAssert.Close([2.0 / 3, 2.0 / 3], x.var(1, unbiased: false));
        TensorAssert.Close([1, 1], x.std(1));
        TensorAssert.Close([Math.Sqrt(91)], x.norm());
        Assert.Equal(ScalarType.Int64, tensor(new[] { true, false, true }).sum().dtype);
        TensorAssert.Close([21], x.to(bfloat16).sum(ScalarType.Float64));
    }

    [Fact]
    public void Extremes_AndTheirPositions()
    {
        using var scope = NewDisposeScope();
        var x = Matrix();
        var (values, indexes) = x.max(1);
        TensorAssert.Close([3, 6], values);
        TensorAssert.Close([0, 0], indexes);
        TensorAssert.Close([1, 2], x.min(1).indexes);
        Assert.Equal(6f, x.max().item<float>());
        Assert.Equal(3L, x.argmax().item<long>());
        TensorAssert.Close([1, 2], x.argmin(1));
        TensorAssert.Close([6, 5, 4], x.amax([0L]));
        TensorAssert.Close([3, 3, 3, 6, 5, 4], maximum(x, tensor(3f)));
    }

    [Fact]
    public void Sort_TopK_Order()
    {
        using var scope = NewDisposeScope();
        var x = Matrix();
        var (sorted, order) = x.sort(dim: 1, descending: true);
        TensorAssert.Close([3, 2, 1, 6, 5, 4], sorted);
        TensorAssert.Close([0, 2, 1, 0, 1, 2], order);
        var (values, indexes) = x.topk(2, dim: 1);
        TensorAssert.Close([3, 2, 6, 5], values);
        TensorAssert.Close([0, 2, 0, 1], indexes);
        TensorAssert.Close([1, 2, 0], x[0].argsort());
        var stable = tensor(new long[] { 1, 0, 1, 0, 1 }).sort(stable: true);
        TensorAssert.Close([1, 3, 0, 2, 4], stable.Indices);
    }

    [Fact]
    public void Counts_AndCumulativeSums()
    {
        using var scope = NewDisposeScope();
        var experts = tensor(new long[] { 0, 2, 2, 1, 2 });
        TensorAssert.Close([1, 1, 3, 0], experts.bincount(null, 4));
        TensorAssert.Close([0.5, 1, 4.5], bincount(experts, tensor(new[] { 0.5, 1, 1.5, 1, 2 })));
        TensorAssert.Close([0, 2, 4, 5, 7], experts.cumsum(0));
        TensorAssert.Close([1, 2], (experts == 2).nonzero().flatten()[TensorIndex.Slice(0, 2)]);
        var (output, inverse, counts) = experts.unique(return_inverse: true, return_counts: true);
        TensorAssert.Close([0, 1, 2], output);
        TensorAssert.Close([0, 2, 2, 1, 2], inverse!);
        TensorAssert.Close([1, 1, 3], counts!);
    }

    [Fact]
    public void Softmax_LogSumExp()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 2.0, 3.0 });
        double total = Math.Exp(1) + Math.Exp(2) + Math.Exp(3);
        double[] expected = [Math.Exp(1) / total, Math.Exp(2) / total, Math.Exp(3) / total];
        TensorAssert.Close(expected, x.softmax(0), 1e-12);
        TensorAssert.Close(expected, nn.functional.softmax(x, -1), 1e-12);
        TensorAssert.Close(Array.ConvertAll(expected, Math.Log), x.log_softmax(0), 1e-12);
        TensorAssert.Close([Math.Log(total)], x.logsumexp(0), 1e-12);
        Assert.Equal(ScalarType.Float32, x.to(bfloat16).softmax(0, ScalarType.Float32).dtype);
    }

    [Fact]
    public void AnyAll_OfAxis()
    {
        using var scope = NewDisposeScope();
        var x = Matrix() > 2;
        Assert.True(x.any().item<bool>());
        Assert.False(x.all().item<bool>());
        TensorAssert.Close([0, 1], x.all(1));
        TensorAssert.Close([1, 1], x.any(1));
    }
}
