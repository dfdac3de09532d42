// Comparison of tensors with expected values; a failure names what is compared and prints the greatest difference.
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

internal static class TensorAssert
{
    public static void Shape(Tensor tensor, params long[] expected) => Assert.Equal(expected, tensor.shape);

    public static void Close(double[] expected, Tensor actual, double tolerance = 1e-6, string name = "tensor")
    {
        using var wide = actual.detach().to(ScalarType.Float64).contiguous();
        double[] values = wide.data<double>().ToArray();
        Assert.True(expected.Length == values.Length, $"{name}: {values.Length} elements, expected {expected.Length}");
        for (int i = 0; i < values.Length; i++)
        {
            double difference = Math.Abs(expected[i] - values[i]);
            bool same = expected[i].Equals(values[i]) || difference <= tolerance * Math.Max(1, Math.Abs(expected[i]));
            Assert.True(same, $"{name}[{i}] = {values[i]:R}, expected {expected[i]:R}, difference {difference:G3}");
        }
    }

    public static void Equal(Tensor expected, Tensor actual, string name = "tensor")
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.dtype, actual.dtype);
        using var difference = (expected.detach().to(ScalarType.Float64) - actual.detach().to(ScalarType.Float64)).abs();
        double greatest = difference.numel() == 0 ? 0 : difference.max().item<double>();
        Assert.True(greatest == 0, $"{name}: greatest difference {greatest:G3}");
    }
}
