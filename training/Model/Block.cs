using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>One layer: x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
public sealed class Block : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "input_layernorm")]
    private readonly RmsNorm _inputNorm;

    [ComponentName(Name = "self_attn")]
    private readonly nn.Module<Tensor, Tensor> _attention;

    [ComponentName(Name = "post_attention_layernorm")]
    private readonly RmsNorm _postAttentionNorm;

    [ComponentName(Name = "mlp")]
    private readonly nn.Module<Tensor, Tensor> _mlp;

    private readonly double _dropout;

    public Block(ModelConfig config, int layer, RotaryEmbedding rotary, double dropout, ScalarType dtype) : base(nameof(Block))
    {
        double std = config.InitializerRange, residual = Initial.ResidualStd(std, config.NumHiddenLayers);
        _inputNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, dtype);
        _attention = config.IsLatent ? new LatentAttention(config, rotary, dtype) : new MultiHeadAttention(config, rotary, dtype);
        _postAttentionNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, dtype);
        _mlp = config.IsMoELayer(layer)
            ? new MoE(config, dtype)
            : new Mlp(config.HiddenSize, config.IntermediateSize, std, residual, dtype);
        _dropout = dropout;
        RegisterComponents();
    }

    /// <summary>The mixture of experts, or null in a dense layer.</summary>
    public MoE? MoE => _mlp as MoE;

    /// <summary>[B, T, hidden] to the same shape.</summary>
    public override Tensor forward(Tensor x) => FeedForward(Attend(x));

    /// <summary>The first half of the layer.</summary>
    internal Tensor Attend(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x + Drop(_attention.call(_inputNorm.call(x)))).MoveToOuterDisposeScope();
    }

    /// <summary>The second half of the layer.</summary>
    internal Tensor FeedForward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x + Drop(_mlp.call(_postAttentionNorm.call(x)))).MoveToOuterDisposeScope();
    }

    private Tensor Drop(Tensor x) => _dropout > 0 && training ? nn.functional.dropout(x, _dropout, training: true) : x;
}
