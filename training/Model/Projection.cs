using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>A linear layer without bias. The weight stays in its own dtype (float32 when training); the product runs in that of its input.</summary>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <param name="inFeatures">Width of the input's last dimension.</param>
    /// <param name="outFeatures">Width of the output's last dimension.</param>
    /// <param name="std">Standard deviation of the initial weights.</param>
    /// <param name="dtype">Dtype of the weight.</param>
    public Projection(long inFeatures, long outFeatures, double std, ScalarType dtype) : base(nameof(Projection))
    {
        _weight = Initial.Normal([outFeatures, inFeatures], std, dtype);
        RegisterComponents();
    }

    /// <summary>[out, in].</summary>
    public Parameter Weight => _weight;

    /// <summary>[.., in] to [.., out].</summary>
    public override Tensor forward(Tensor x) => nn.functional.linear(x, _weight.to(x.dtype));
}
