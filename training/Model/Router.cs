using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>The experts of each token: <paramref name="Experts"/> [N, k] int64 and their <paramref name="Weights"/> [N, k].</summary>
public readonly record struct Routing(Tensor Experts, Tensor Weights);

/// <summary>
/// Chooses k experts a token (DeepSeek-V3, arXiv 2412.19437, equations 12 to 16). The bias takes part in the choice only:
/// it is no parameter, carries no gradient, and is moved by <see cref="Trainer.LoadBalancer"/>. Scores are in at least float32.
/// </summary>
public sealed class Router : nn.Module<Tensor, Routing>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "e_score_correction_bias")]
    private readonly Tensor _bias;

    [ComponentName(Name = "load")]
    private readonly Tensor _load;

    private readonly ModelConfig _config;

    public Router(ModelConfig config, ScalarType dtype) : base(nameof(Router))
    {
        _config = config;
        _weight = Initial.Normal([config.NRoutedExperts, config.HiddenSize], config.InitializerRange, dtype);
        _bias = zeros(config.NRoutedExperts, ScalarType.Float32);
        _load = zeros(config.NRoutedExperts, ScalarType.Float32);
        RegisterComponents();
    }

    /// <summary>[E, hidden].</summary>
    public Parameter Weight => _weight;

    /// <summary><c>e_score_correction_bias</c> [E].</summary>
    public Tensor Bias => _bias;

    /// <summary>Tokens [E] that chose each expert in training mode since the last reset.</summary>
    public Tensor Load => _load;

    /// <summary>Whether training mode counts; false while a layer is computed again.</summary>
    internal bool Counting { get; set; } = true;

    /// <summary>Tokens [N, hidden] to their experts.</summary>
    public override Routing forward(Tensor x)
    {
        var logits = nn.functional.linear(x.to(_weight.dtype), _weight); // (N, E)
        var scores = _config.ScoringFunc == "softmax" ? logits.softmax(-1) : logits.sigmoid();
        var experts = Choose(scores.detach() + _bias);
        var weights = scores.gather(1, experts); // (N, k)
        if (_config.NormalisesWeights)
        {
            weights = weights / (weights.sum(-1, keepdim: true) + 1e-20);
        }
        if (training && Counting)
        {
            using var _ = no_grad();
            _load.add_(experts.flatten().bincount(null, _config.NRoutedExperts));
        }
        return new Routing(experts, weights * _config.WeightFactor);
    }

    // (N, E) to (N, k)
    private Tensor Choose(Tensor scores)
    {
        if (_config.NGroup > 1 && _config.TopkMethod != "greedy")
        {
            // A group counts as its two best experts together (noaux_tc), or as its best one.
            var groups = scores.unflatten(1, _config.NGroup, -1); // (N, G, E / G)
            var value = groups.topk(_config.TopkMethod == "noaux_tc" ? 2 : 1).values.sum(-1); // (N, G)
            var kept = value.topk(_config.TopkGroup).indexes; // (N, topk_group)
            var closed = ones_like(value).scatter(1, kept, zeros_like(value)).to(ScalarType.Bool); // (N, G)
            scores = groups.masked_fill(closed.unsqueeze(-1), double.NegativeInfinity).flatten(1); // (N, E)
        }
        return scores.topk(_config.NumExpertsPerTok).indexes;
    }
}
