using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// The decoder: embedding, layers, final norm, head. The <see cref="ModelConfig"/> alone says which of the four twins it is
/// (latent or multi-head attention, experts or dense). Submodules carry their Hugging Face names.
/// </summary>
public sealed partial class Transformer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "embed_tokens")]
    private readonly TokenEmbedding _embedTokens;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<Block> _layers;

    [ComponentName(Name = "norm")]
    private readonly RmsNorm _norm;

    [ComponentName(Name = "lm_head")]
    private readonly Projection? _lmHead;

    private readonly double _dropout;

    /// <summary>Draws the weights from torch's default generator.</summary>
    /// <param name="config">Sizes and kinds of the layers.</param>
    /// <param name="dropout">Share of each layer's contribution to the residual stream that training mode drops.</param>
    /// <param name="dtype">Dtype of the weights: float32, or float64 to check gradients.</param>
    public Transformer(ModelConfig config, double dropout = 0, ScalarType dtype = ScalarType.Float32) : base(nameof(Transformer))
    {
        Config = config;
        ComputeType = dtype;
        _dropout = dropout;
        var rotary = new RotaryEmbedding(config, dtype);
        _embedTokens = new TokenEmbedding(config.VocabSize, config.HiddenSize, config.InitializerRange, dtype);
        _layers = new ModuleList<Block>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new Block(config, i, rotary, dropout, dtype))]);
        _norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, dtype);
        if (!config.TieWordEmbeddings)
        {
            _lmHead = new Projection(config.HiddenSize, config.VocabSize, config.InitializerRange, dtype);
        }
        RegisterComponents();
    }

    public ModelConfig Config { get; }

    /// <summary>Dtype of activations and their products. Weights, norms, router scores, softmax and loss stay in the weights' dtype.</summary>
    public ScalarType ComputeType { get; set; }

    /// <summary>The mixtures of experts with the number of their layer, lowest first.</summary>
    public IEnumerable<(int Layer, MoE MoE)> Mixtures =>
        _layers.Select((block, layer) => (layer, block.MoE)).Where(x => x.MoE is not null).Select(x => (x.layer, x.MoE!));

    /// <summary>Ids [B, T] int64 to logits [B, T, vocabulary] in <see cref="ComputeType"/>.</summary>
    public override Tensor forward(Tensor ids) => Stages(ids).Last().Value;

    /// <summary>
    /// Mean negative log likelihood (nats, a scalar) of <paramref name="targets"/> [B, T] int64 after <paramref name="ids"/>. Without
    /// gradients it takes the memory of <see cref="MaxLogits"/> at most.
    /// </summary>
    public Tensor Loss(Tensor ids, Tensor targets)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = Hidden(ids), flat = targets.flatten();
        if (is_grad_enabled() || flat.shape[0] <= TokensAtATime)
        {
            return Loss(hidden, flat, nn.Reduction.Mean).MoveToOuterDisposeScope();
        }
        var sum = zeros([], ScalarType.Float64, hidden.device);
        foreach (var (first, count) in Parts(flat.shape[0]))
        {
            using var part = NewDisposeScope();
            sum.add_(Loss(hidden.narrow(0, first, count), flat.narrow(0, first, count), nn.Reduction.Sum).to(ScalarType.Float64));
        }
        return (sum / flat.shape[0]).to(_norm.Weight.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The residual stream after each named part, as it is computed; the last value is the logits.</summary>
    internal IEnumerable<(string Name, Tensor Value)> Stages(Tensor ids)
    {
        var x = Embed(ids);
        yield return ("model.embed_tokens", x);
        for (int i = 0; i < _layers.Count; i++)
        {
            x = _layers[i].Attend(x);
            yield return ($"model.layers.{i}.self_attn", x);
            x = _layers[i].FeedForward(x);
            yield return ($"model.layers.{i}.mlp", x);
        }
        x = _norm.call(x);
        yield return ("model.norm", x);
        yield return ("lm_head", Head(x));
    }

    // (B, T, hidden)
    private Tensor Embed(Tensor ids) => _embedTokens.call(ids).to(ComputeType);

    // The normed residual stream (B·T, hidden) behind the last layer.
    private Tensor Hidden(Tensor ids) => _norm.call(_layers.Aggregate(Embed(ids), (x, block) => block.call(x))).flatten(0, 1);

    private Tensor Head(Tensor hidden) => _lmHead is not null ? _lmHead.call(hidden) : nn.functional.linear(hidden, _embedTokens.Weight.to(hidden.dtype));

    private Tensor Loss(Tensor hidden, Tensor targets, nn.Reduction reduction) =>
        nn.functional.cross_entropy(Head(hidden).to(_norm.Weight.dtype), targets, reduction: reduction);
}
