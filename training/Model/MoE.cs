using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>A mixture of experts: the shared expert, if there is one, plus the routed ones of each token. Dropless.</summary>
public sealed class MoE : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate")]
    private readonly Router _gate;

    [ComponentName(Name = "experts")]
    private readonly Experts _experts;

    [ComponentName(Name = "shared_experts")]
    private readonly Mlp? _sharedExperts;

    public MoE(ModelConfig config, ScalarType dtype) : base(nameof(MoE))
    {
        double std = config.InitializerRange, residual = Initial.ResidualStd(std, config.NumHiddenLayers);
        _gate = new Router(config, dtype);
        _experts = new Experts(config.NRoutedExperts, config.HiddenSize, config.MoeIntermediateSize, std, residual, dtype);
        if (config.NSharedExperts > 0)
        {
            _sharedExperts = new Mlp(config.HiddenSize, (long)config.NSharedExperts * config.MoeIntermediateSize, std, residual, dtype);
        }
        RegisterComponents();
    }

    public Router Gate => _gate;

    public Experts Experts => _experts;

    /// <summary>[B, T, hidden] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        var tokens = x.reshape(-1, x.shape[^1]); // (B·T, hidden)
        var y = _experts.call(tokens, _gate.call(tokens));
        if (_sharedExperts is not null)
        {
            y = y + _sharedExperts.call(tokens);
        }
        return y.view(x.shape);
    }
}
