using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>Causal softmax weights from matrix products alone; every form of attention here goes through it.</summary>
internal static class CausalAttention
{
    /// <summary>
    /// Weights [N, T, T] over N = batch · heads: softmax of q·kᵀ (+ <paramref name="more"/>), a query seeing its own position and earlier ones.
    /// The softmax is computed in float32 whatever the dtype: libtorch's kernels widen bf16 inside.
    /// </summary>
    /// <param name="q">[N, T, d], already scaled.</param>
    /// <param name="k">[N, T, d].</param>
    /// <param name="more">Scores [N, T, T] to add to the product, or null.</param>
    public static Tensor Weights(Tensor q, Tensor k, Tensor? more = null)
    {
        long n = q.shape[0], length = q.shape[1];
        var mask = full([length, length], double.NegativeInfinity, dtype: q.dtype, device: q.device).triu(1); // (T, T)
        var floor = more is null ? mask.unsqueeze(0).expand(n, length, length) : more + mask;
        return q.bmm(k.transpose(1, 2)).add_(floor).softmax(-1); // (N, T, T)
    }
}
