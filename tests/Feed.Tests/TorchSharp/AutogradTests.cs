using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class AutogradTests
{
    [Fact]
    public void Backward_AccumulatesInLeaves()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f, 3f }, requires_grad: true);
        Assert.Null(x.grad);
        (x * x).sum().backward();
        TensorAssert.Close([2, 4, 6], x.grad!);
        (x * 3).sum().backward();
        TensorAssert.Close([5, 7, 9], x.grad!);
        x.grad = ones(3);
        TensorAssert.Close([1, 1, 1], x.grad!);
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void NoGrad_IsNotDifferentiated()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        using (no_grad())
        {
            Assert.False(is_grad_enabled());
            Assert.False((x * 2).requires_grad);
            using (enable_grad())
                Assert.True((x * 2).requires_grad);
        }
        Assert.True(is_grad_enabled());
        Assert.True((x * 2).requires_grad);
        Assert.False(x.detach().requires_grad);
        using (inference_mode())
            Assert.False((x * 2).requires_grad);
    }

    [Fact]
    public void Backward_OfNonScalar_Throws()
    {
        using var x = ones(2, requires_grad: true);
        using var y = x * 2;
        var error = Assert.Throws<ExternalException>(y.backward);
        Assert.Contains("grad can be implicitly created only for scalar outputs", error.Message);
    }

    [Fact]
    public void Backward_Twice_Throws()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        var y = (x * x).sum();
        y.backward();
        Assert.Throws<ExternalException>(y.backward);
    }

    [Fact]
    public void Grad_OfOutputsByInputs()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 2.0, 3.0 }, requires_grad: true);
        var grads = autograd.grad([(x * x * x).sum()], [x]);
        TensorAssert.Close([12, 27], grads[0]);
        Assert.Null(x.grad);
    }

    [Fact]
    public void Mlp_GradientsMatchFiniteDifferences()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var x = randn(5, 4, dtype: float64);
        var target = tensor(new long[] { 0, 2, 1, 1, 0 });
        Tensor[] weights =
        [
            randn(6, 4, dtype: float64).mul_(0.5).requires_grad_(), randn(6, dtype: float64).mul_(0.5).requires_grad_(),
            randn(3, 6, dtype: float64).mul_(0.5).requires_grad_(),
        ];
        Loss().backward();
        const double Step = 1e-6;
        foreach (var weight in weights)
        {
            using var values = weight.detach();
            var analytic = weight.grad!.data<double>().ToArray();
            var numeric = new double[analytic.Length];
            for (int i = 0; i < numeric.Length; i++)
            {
                double former = values.data<double>()[Position(values, i)];
                values.data<double>()[Position(values, i)] = former + Step;
                double above = Loss().item<double>();
                values.data<double>()[Position(values, i)] = former - Step;
                double below = Loss().item<double>();
                values.data<double>()[Position(values, i)] = former;
                numeric[i] = (above - below) / (2 * Step);
            }
            TensorAssert.Close(numeric, tensor(analytic), 1e-7, $"gradient of {weight}");
        }

        Tensor Loss()
        {
            var hidden = nn.functional.silu(nn.functional.linear(x, weights[0], weights[1]));
            return nn.functional.cross_entropy(nn.functional.linear(hidden, weights[2]), target);
        }
    }

    private static long[] Position(Tensor tensor, long index) =>
        tensor.dim() == 1 ? [index] : [index / tensor.shape[1], index % tensor.shape[1]];
}
