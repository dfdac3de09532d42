using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>SwiGLU (Shazeer, arXiv 2002.05202): down(silu(gate(x)) · up(x)). Gate and up are one weight, gate rows first; checkpoints hold them apart.</summary>
public sealed class Mlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_up_proj")]
    private readonly Projection _gateUpProj;

    [ComponentName(Name = "down_proj")]
    private readonly Projection _downProj;

    public Mlp(long width, long hidden, double std, double residualStd, ScalarType dtype) : base(nameof(Mlp))
    {
        _gateUpProj = new Projection(width, 2 * hidden, std, dtype);
        _downProj = new Projection(hidden, width, residualStd, dtype);
        RegisterComponents();
    }

    /// <summary>[.., width] to the same shape.</summary>
    public override Tensor forward(Tensor x) => _downProj.call(Gate(_gateUpProj.call(x)));

    /// <summary>[.., 2 · hidden] to [.., hidden]: silu of the first half times the second.</summary>
    internal static Tensor Gate(Tensor gateUp)
    {
        long half = gateUp.shape[^1] / 2;
        var halves = gateUp.split([half, half], gateUp.dim() - 1);
        return nn.functional.silu(halves[0]) * halves[1];
    }
}
