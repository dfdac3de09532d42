using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>A row of weights for each token id; where embeddings are tied, the same rows are the head.</summary>
public sealed class TokenEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public TokenEmbedding(long vocabulary, long width, double std, ScalarType dtype) : base(nameof(TokenEmbedding))
    {
        _weight = Initial.Normal([vocabulary, width], std, dtype);
        RegisterComponents();
    }

    /// <summary>[vocabulary, width].</summary>
    public Parameter Weight => _weight;

    /// <summary>Ids [B, T] int64 to [B, T, width].</summary>
    public override Tensor forward(Tensor ids) => _weight.index_select(0, ids.flatten()).view(ids.shape[0], ids.shape[1], -1);
}
