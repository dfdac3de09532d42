using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

/// <summary>Compares gradients with central finite differences, in float64.</summary>
internal static class Gradients
{
    private const double Step = 1e-6;

    /// <summary>Checks <paramref name="perTensor"/> elements of every named tensor against (f(x + h) − f(x − h)) / 2h.</summary>
    /// <param name="function">A scalar that depends on the tensors, computed anew at each call.</param>
    /// <param name="tensors">Leaves with gradients.</param>
    /// <param name="perTensor">Elements to check, spread over the tensor.</param>
    public static void Check(Func<Tensor> function, IEnumerable<(string Name, Tensor Tensor)> tensors, int perTensor = 6)
    {
        var all = tensors.ToList();
        function().backward();
        foreach (var (name, x) in all)
        {
            var gradient = x.grad;
            Assert.True(gradient is not null, $"{name}: no gradient reached it");
            double[] computed = gradient!.flatten().contiguous().data<double>().ToArray();
            var flat = x.detach().flatten();
            long stride = Math.Max(1, flat.numel() / perTensor);
            for (long i = 0; i < flat.numel(); i += stride)
            {
                double expected = (At(function, flat, i, Step) - At(function, flat, i, -Step)) / (2 * Step);
                double scale = Math.Max(1e-3, Math.Max(Math.Abs(expected), Math.Abs(computed[i])));
                Assert.True(Math.Abs(expected - computed[i]) <= 1e-5 * scale,
                    $"{name}[{i}]: gradient {computed[i]:g10}, finite difference {expected:g10}");
            }
        }
    }

    private static double At(Func<Tensor> function, Tensor flat, long index, double change)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var element = flat.narrow(0, index, 1);
        double old = element.item<double>();
        element.fill_(old + change);
        double value = function().item<double>();
        element.fill_(old);
        return value;
    }
}
