using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>y = x / sqrt(mean(x²) + ε) · weight over the last dimension, in at least float32 (Zhang and Sennrich, arXiv 1910.07467).</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private readonly double _epsilon;

    public RmsNorm(long width, double epsilon, ScalarType dtype) : base(nameof(RmsNorm))
    {
        _weight = nn.Parameter(ones(width, dtype));
        _epsilon = epsilon;
        RegisterComponents();
    }

    /// <summary>[width].</summary>
    public Parameter Weight => _weight;

    /// <summary>[.., width] to the same shape and dtype.</summary>
    public override Tensor forward(Tensor x)
    {
        var wide = x.to(_weight.dtype);
        var scale = (wide.square().mean([-1], keepdim: true) + _epsilon).rsqrt(); // (.., 1)
        return (wide * scale * _weight).to(x.dtype);
    }
}
