using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1). A token's keys and values are functions of
/// [c ; k_rope]: a latent of kv_lora_rank numbers and one rotary key that all heads share.
/// </summary>
public sealed class LatentAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "q_proj")]
    private readonly Projection? _qProj;

    [ComponentName(Name = "q_a_proj")]
    private readonly Projection? _qAProj;

    [ComponentName(Name = "q_a_layernorm")]
    private readonly RmsNorm? _qANorm;

    [ComponentName(Name = "q_b_proj")]
    private readonly Projection? _qBProj;

    [ComponentName(Name = "kv_a_proj_with_mqa")]
    private readonly Projection _kvAProj;

    [ComponentName(Name = "kv_a_layernorm")]
    private readonly RmsNorm _kvANorm;

    [ComponentName(Name = "kv_b_proj")]
    private readonly Projection _kvBProj;

    [ComponentName(Name = "o_proj")]
    private readonly Projection _oProj;

    [ComponentName(Name = "rotary")]
    private readonly RotaryEmbedding _rotary;

    private readonly ModelConfig _config;

    public LatentAttention(ModelConfig config, RotaryEmbedding rotary, ScalarType dtype) : base(nameof(LatentAttention))
    {
        long d = config.HiddenSize, h = config.NumAttentionHeads, r = config.KvLoraRank;
        double std = config.InitializerRange;
        if (config.QLoraRank is int rank)
        {
            _qAProj = new Projection(d, rank, std, dtype);
            _qANorm = new RmsNorm(rank, config.LatentNormEps, dtype);
            _qBProj = new Projection(rank, h * config.QkHeadDim, std, dtype);
        }
        else
        {
            _qProj = new Projection(d, h * config.QkHeadDim, std, dtype);
        }
        _kvAProj = new Projection(d, r + config.QkRopeHeadDim, std, dtype);
        _kvANorm = new RmsNorm(r, config.LatentNormEps, dtype);
        _kvBProj = new Projection(r, h * (config.QkNopeHeadDim + config.VHeadDim), std, dtype);
        _oProj = new Projection(h * config.VHeadDim, d, Initial.ResidualStd(std, config.NumHiddenLayers), dtype);
        (_config, _rotary) = (config, rotary);
        RegisterComponents();
    }

    /// <summary>[B, T, hidden] to the same shape, in the full form: keys and values of every head are computed from the latent.</summary>
    public override Tensor forward(Tensor x)
    {
        var (qNope, qRope, c, kRope) = Project(x);
        long n = qNope.shape[0], length = qNope.shape[1], h = _config.NumAttentionHeads, dn = _config.QkNopeHeadDim, dv = _config.VHeadDim;
        var kv = _kvBProj.call(c).view(-1, length, h, dn + dv).transpose(1, 2).reshape(n, length, dn + dv); // (B·H, T, dn + dv)
        var (kNope, v) = Halves(kv, dn, dv);
        var k = cat([kNope, PerHead(kRope)], -1); // (B·H, T, dn + dr)
        var weights = CausalAttention.Weights(cat([qNope, qRope], -1), k); // (B·H, T, T)
        return Output(weights.bmm(v));
    }

    /// <summary>
    /// The same function in the absorbed form, which decoding uses: W_UK moves into the query and W_UV behind the sum,
    /// so that heads attend over the latent itself and no key or value of a head exists.
    /// </summary>
    public Tensor ForwardAbsorbed(Tensor x)
    {
        var (qNope, qRope, c, kRope) = Project(x);
        long n = qNope.shape[0], length = qNope.shape[1], h = _config.NumAttentionHeads, dn = _config.QkNopeHeadDim, dv = _config.VHeadDim;
        var up = _kvBProj.Weight.to(x.dtype).view(h, dn + dv, -1); // (H, dn + dv, r)
        Tensor upKey = up.narrow(1, 0, dn), upValue = up.narrow(1, dn, dv);
        var query = qNope.view(-1, h, length, dn).matmul(upKey).view(n, length, -1); // (B·H, T, r)
        var latent = PerHead(c); // (B·H, T, r)
        var weights = CausalAttention.Weights(query, latent, qRope.bmm(PerHead(kRope).transpose(1, 2))); // (B·H, T, T)
        var context = weights.bmm(latent).view(-1, h, length, _config.KvLoraRank); // (B, H, T, r)
        return Output(context.matmul(upValue.transpose(1, 2)).reshape(n, length, dv));
    }

    // Scaled queries (B·H, T, dn) and (B·H, T, dr); the normalised latent (B, T, r) and the turned shared key (B, T, dr).
    private (Tensor QNope, Tensor QRope, Tensor C, Tensor KRope) Project(Tensor x)
    {
        long length = x.shape[1], h = _config.NumAttentionHeads, dn = _config.QkNopeHeadDim, dr = _config.QkRopeHeadDim, r = _config.KvLoraRank;
        var q = _qProj is not null ? _qProj.call(x) : _qBProj!.call(_qANorm!.call(_qAProj!.call(x)));
        q = (q * _config.AttentionScale).view(-1, length, h, dn + dr).transpose(1, 2).reshape(-1, length, dn + dr); // (B·H, T, dn + dr)
        var (qNope, qRope) = Halves(q, dn, dr);
        var (c, kRope) = Halves(_kvAProj.call(x), r, dr); // of (B, T, r + dr)
        return (qNope, _rotary.call(qRope), _kvANorm.call(c), _rotary.call(kRope));
    }

    // The first a and the other b elements of the last dimension. A split has one gradient, where two narrowed views have one of the whole each.
    private static (Tensor First, Tensor Other) Halves(Tensor x, long a, long b)
    {
        var parts = x.split([a, b], x.dim() - 1);
        return (parts[0], parts[1]);
    }

    // (B, T, w) to (B·H, T, w)
    private Tensor PerHead(Tensor shared)
    {
        long batch = shared.shape[0], length = shared.shape[1], width = shared.shape[2], h = _config.NumAttentionHeads;
        return shared.unsqueeze(1).expand(batch, h, length, width).reshape(batch * h, length, width);
    }

    // (B·H, T, dv) to (B, T, hidden)
    private Tensor Output(Tensor heads)
    {
        long length = heads.shape[1], h = _config.NumAttentionHeads, dv = _config.VHeadDim;
        return _oProj.call(heads.view(-1, h, length, dv).transpose(1, 2).reshape(-1, length, h * dv));
    }
}
