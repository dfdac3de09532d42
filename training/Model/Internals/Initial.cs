using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>Fresh weights, drawn on the CPU from torch's default generator: a seed gives the same model whatever device it moves to later.</summary>
internal static class Initial
{
    public static Parameter Normal(long[] shape, double std, ScalarType dtype) => nn.Parameter(empty(shape, dtype).normal_(0, std));

    /// <summary>Standard deviation for a projection that writes into the residual stream, which sums two of them per layer (GPT-2).</summary>
    public static double ResidualStd(double std, int layers) => std / Math.Sqrt(2.0 * layers);
}
