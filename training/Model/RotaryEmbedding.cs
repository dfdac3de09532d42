using LatentMoE.Checkpoints;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// Rotary positions (Su et al., arXiv 2104.09864): at position p, pair i of a head turns by the angle p · θ^(−2i/width).
/// A pair is two neighbours (interleaved: the latent models) or element i and i + width/2 (the multi-head twins).
/// </summary>
public sealed class RotaryEmbedding : nn.Module<Tensor, Tensor>
{
    // (positions, width / 2)
    [ComponentName(Name = "cos")]
    private readonly Tensor _cos;

    [ComponentName(Name = "sin")]
    private readonly Tensor _sin;

    private readonly bool _interleave;

    /// <summary>Positions of a width, without scaling.</summary>
    public RotaryEmbedding(int width, int positions, double theta, bool interleave, ScalarType dtype)
        : this([.. Enumerable.Range(0, width / 2).Select(i => Math.Pow(theta, -2.0 * i / width))], positions, 1, interleave, dtype)
    {
    }

    /// <summary>Those of a configuration, which may stretch them (YaRN).</summary>
    public RotaryEmbedding(ModelConfig config, ScalarType dtype)
        : this(RotaryFrequencies.Of(config), config.MaxPositionEmbeddings, config.RotaryFactor, config.RopeInterleave, dtype)
    {
    }

    private RotaryEmbedding(double[] frequencies, int positions, double factor, bool interleave, ScalarType dtype) : base(nameof(RotaryEmbedding))
    {
        int half = frequencies.Length;
        var cosines = new double[positions * half];
        var sines = new double[positions * half];
        for (int p = 0; p < positions; p++)
        {
            for (int i = 0; i < half; i++)
            {
                var (sine, cosine) = Math.SinCos(p * frequencies[i]);
                (sines[p * half + i], cosines[p * half + i]) = (factor * sine, factor * cosine);
            }
        }
        _cos = tensor(cosines, [positions, half]).to(dtype);
        _sin = tensor(sines, [positions, half]).to(dtype);
        _interleave = interleave;
        RegisterComponents();
    }

    /// <summary>
    /// Turns [.., T, width] for positions 0 to T − 1. Interleaved pairs come back as two halves: scores, which are all that
    /// rotated vectors are used for, do not depend on the order as long as queries and keys share it.
    /// </summary>
    public override Tensor forward(Tensor x)
    {
        long length = x.shape[^2], half = _cos.shape[1];
        var cos = _cos.narrow(0, 0, length);
        var sin = _sin.narrow(0, 0, length);
        var pairs = _interleave ? x.unflatten(x.dim() - 1, half, 2) : x.unflatten(x.dim() - 1, 2, half);
        var parts = pairs.unbind(pairs.dim() - (_interleave ? 1 : 2)); // two (.., T, width / 2)
        return cat([parts[0] * cos - parts[1] * sin, parts[1] * cos + parts[0] * sin], -1).to(x.dtype);
    }
}
