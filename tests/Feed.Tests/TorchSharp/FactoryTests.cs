using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class FactoryTests
{
    [Fact]
    public void Factories_DefaultElementTypes()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(ScalarType.Float32, zeros(2, 3).dtype);
        Assert.Equal(ScalarType.Int64, arange(5).dtype);
        Assert.Equal(ScalarType.Float32, arange(0.0, 1.0, 0.25).dtype);
        Assert.Equal(ScalarType.Int64, randint(10, new long[] { 4 }).dtype);
        Assert.Equal(ScalarType.Int64, randperm(4).dtype);
        Assert.Equal(ScalarType.Int32, tensor(new[] { 1, 2 }).dtype);
        Assert.Equal(ScalarType.Float64, tensor(new[] { 1.0, 2.0 }).dtype);
        Assert.Equal(ScalarType.Bool, tensor(new[] { true }).dtype);
        Assert.Equal(ScalarType.BFloat16, ones(2, dtype: bfloat16).dtype);
    }

    [Fact]
    public void Factories_Values()
    {
        using var scope = NewDisposeScope();
        TensorAssert.Close([0, 0.25, 0.5, 0.75], arange(0.0, 1.0, 0.25));
        TensorAssert.Close([2, 3, 4], arange(2, 5));
        TensorAssert.Close([7, 7, 7, 7], full(2, 2, 7));
        TensorAssert.Close([1, 0, 0, 0, 1, 0], eye(2, 3));
        TensorAssert.Close([0, 0.5, 1], linspace(0, 1, 3));
        TensorAssert.Close([1, 1], ones_like(zeros(2)));
        TensorAssert.Close([0, 0, 0, 0], zeros(new long[] { 2, 2 }, dtype: ScalarType.Float64));
    }

    [Fact]
    public void Tensor_CopiesTheArray()
    {
        float[] values = [1, 2, 3, 4];
        using var tensor = torch.tensor(values, [2, 2]);
        values[0] = 9;
        TensorAssert.Shape(tensor, 2, 2);
        TensorAssert.Close([1, 2, 3, 4], tensor);
    }

    [Fact]
    public void Tensor_OfTwoDimensionalArray_AndOfAnotherType()
    {
        using var scope = NewDisposeScope();
        var matrix = tensor(new long[,] { { 1, 2, 3 }, { 4, 5, 6 } });
        TensorAssert.Shape(matrix, 2, 3);
        Assert.Equal(ScalarType.Int64, matrix.dtype);
        TensorAssert.Close([1.5, -2.5], tensor(new[] { 1.5f, -2.5f }, dtype: bfloat16));
    }

    [Fact]
    public void Tensor_ArrayTooShort_Throws() =>
        Assert.Throws<ArgumentException>(() => tensor(new[] { 1f, 2f }, [3L]));

    [Fact]
    public void ToString_TellsShapeTypeAndDevice()
    {
        using var tensor = zeros(2, 3);
        Assert.Equal("[2x3], type = Float32, device = cpu", tensor.ToString());
    }
}
