using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>The twin of <see cref="LatentAttention"/>: a key and a value for every head (or for groups of heads, if there are fewer key heads).</summary>
public sealed class MultiHeadAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "q_proj")]
    private readonly Projection _qProj;

    [ComponentName(Name = "k_proj")]
    private readonly Projection _kProj;

    [ComponentName(Name = "v_proj")]
    private readonly Projection _vProj;

    [ComponentName(Name = "o_proj")]
    private readonly Projection _oProj;

    [ComponentName(Name = "rotary")]
    private readonly RotaryEmbedding _rotary;

    private readonly ModelConfig _config;

    public MultiHeadAttention(ModelConfig config, RotaryEmbedding rotary, ScalarType dtype) : base(nameof(MultiHeadAttention))
    {
        long d = config.HiddenSize, h = config.NumAttentionHeads, kv = config.NumKeyValueHeads, w = config.MultiHeadDim;
        double std = config.InitializerRange;
        _qProj = new Projection(d, h * w, std, dtype);
        _kProj = new Projection(d, kv * w, std, dtype);
        _vProj = new Projection(d, kv * w, std, dtype);
        _oProj = new Projection(h * w, d, Initial.ResidualStd(std, config.NumHiddenLayers), dtype);
        (_config, _rotary) = (config, rotary);
        RegisterComponents();
    }

    /// <summary>[B, T, hidden] to the same shape.</summary>
    public override Tensor forward(Tensor x)
    {
        long length = x.shape[1], h = _config.NumAttentionHeads, w = _config.MultiHeadDim;
        var q = _rotary.call(Heads(_qProj.call(x) * _config.AttentionScale, h));
        var k = _rotary.call(Heads(_kProj.call(x), _config.NumKeyValueHeads));
        var v = Heads(_vProj.call(x), _config.NumKeyValueHeads);
        var context = CausalAttention.Weights(q.reshape(-1, length, w), PerQueryHead(k)).bmm(PerQueryHead(v)); // (B·H, T, w)
        return _oProj.call(context.view(-1, h, length, w).transpose(1, 2).reshape(-1, length, h * w));
    }

    // (B, T, heads · w) to (B, heads, T, w)
    private Tensor Heads(Tensor x, long heads) => x.view(x.shape[0], x.shape[1], heads, _config.MultiHeadDim).transpose(1, 2);

    // (B, KV, T, w) to (B·H, T, w)
    private Tensor PerQueryHead(Tensor x)
    {
        long batch = x.shape[0], kv = x.shape[1], length = x.shape[2], w = x.shape[3], h = _config.NumAttentionHeads;
        return x.unsqueeze(2).expand(batch, kv, h / kv, length, w).reshape(batch * h, length, w);
    }
}
