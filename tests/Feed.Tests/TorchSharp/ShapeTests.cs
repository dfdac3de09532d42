using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class ShapeTests
{
    [Fact]
    public void Views_ShareMemory()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, dtype: float32);
        var view = x.view(2, 3);
        view.add_(1);
        TensorAssert.Close([1, 2, 3, 4, 5, 6], x);
        TensorAssert.Close([1, 4, 2, 5, 3, 6], view.transpose(0, 1).reshape(-1));
        Assert.False(view.transpose(0, 1).is_contiguous());
        Assert.Equal([1L, 3], view.T.stride());
        Assert.True(view.T.contiguous().is_contiguous());
    }

    [Fact]
    public void Reshaping_Shapes()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3, 4);
        TensorAssert.Shape(x.permute(2, 0, 1), 4, 2, 3);
        TensorAssert.Shape(x.flatten(), 24);
        TensorAssert.Shape(x.flatten(0, 1), 6, 4);
        TensorAssert.Shape(x.unflatten(2, 2, 2), 2, 3, 2, 2);
        TensorAssert.Shape(x.unflatten(2, -1, 1), 2, 3, 4, 1);
        TensorAssert.Shape(x.unsqueeze(0), 1, 2, 3, 4);
        TensorAssert.Shape(x.unsqueeze(-1).squeeze(-1), 2, 3, 4);
        TensorAssert.Shape(x.select(1, 0), 2, 4);
        TensorAssert.Shape(x.narrow(2, 1, 2), 2, 3, 2);
        TensorAssert.Shape(x.slice(2, 0, 4, 2), 2, 3, 2);
        TensorAssert.Shape(x.mT, 2, 4, 3);
        TensorAssert.Shape(ones(1, 3).expand(5, -1), 5, 3);
        TensorAssert.Shape(x.repeat(2, 1, 1), 4, 3, 4);
        Assert.Equal(24L, x.numel());
        Assert.Equal(3L, x.dim());
        Assert.Equal(4L, x.size(-1));
    }

    [Fact]
    public void Joining_AndSplitting()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, 2f });
        var b = tensor(new[] { 3f, 4f });
        TensorAssert.Close([1, 2, 3, 4], cat(new[] { a, b }));
        var stacked = stack(new[] { a, b }, dim: 1);
        TensorAssert.Shape(stacked, 2, 2);
        TensorAssert.Close([1, 3, 2, 4], stacked);
        var x = arange(5);
        Assert.Equal([2L, 2, 1], x.split(2).Select(part => part.numel()));
        Assert.Equal([1L, 4], x.split(new long[] { 1, 4 }).Select(part => part.numel()));
        Assert.Equal([3L, 2], x.chunk(2).Select(part => part.numel()));
        Assert.Equal(5, x.unbind().Length);
    }

    [Fact]
    public void Rearranging_Values()
    {
        using var scope = NewDisposeScope();
        var x = arange(4, dtype: float32);
        TensorAssert.Close([3, 2, 1, 0], x.flip(0));
        TensorAssert.Close([3, 0, 1, 2], x.roll(1));
        TensorAssert.Close([0, 0, 1, 1, 2, 2, 3, 3], x.repeat_interleave(2));
        TensorAssert.Close([0, 2, 2, 3], x.repeat_interleave(tensor(new long[] { 1, 0, 2, 1 })));
        var square = x.view(2, 2);
        TensorAssert.Close([0, 1, 0, 3], square.triu());
        TensorAssert.Close([0, 0, 2, 3], tril(square));
        TensorAssert.Close([0, 1, 0, 0], square.triu(1));
    }

    [Fact]
    public void Conversion_OfTypes()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.7f, -1.2f });
        TensorAssert.Close([1, -1], x.to(ScalarType.Int64));
        Assert.Equal(ScalarType.BFloat16, x.bfloat16().dtype);
        Assert.Equal(ScalarType.Float64, x.type_as(zeros(1, dtype: float64)).dtype);
        TensorAssert.Close([1.703125, -1.203125], x.to_type(bfloat16), 1e-12);
        Assert.Equal(DeviceType.CPU, x.cpu().device_type);
        Assert.Equal("cpu", x.to(CPU).device.ToString());
        Assert.Equal("cuda:1", new Device("cuda:1").ToString());
    }

    [Fact]
    public void Products_Values()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, 2f, 3f, 4f }, [2, 2]);
        var b = tensor(new[] { 5f, 6f, 7f, 8f }, [2, 2]);
        double[] expected = [19, 22, 43, 50];
        TensorAssert.Close(expected, a.matmul(b));
        TensorAssert.Close(expected, mm(a, b));
        TensorAssert.Close(expected, bmm(a.unsqueeze(0), b.unsqueeze(0)));
        TensorAssert.Close(expected, einsum("ij,jk->ik", a, b));
        TensorAssert.Close([17, 39], nn.functional.linear(a, b[0].unsqueeze(0)));
        TensorAssert.Close([3, 4, 6, 8], outer(a[0], a[1]));
    }
}
