namespace LatentMoE.Checkpoints;

/// <summary>
/// Rotary positions stretched beyond the length that a model was first trained for: YaRN (arXiv 2309.00071) in the form of DeepSeek's
/// modelling code. Slow pairs turn slower by the factor, fast ones as before, and those between by a mix of both.
/// </summary>
public sealed record YarnScaling
{
    /// <summary>How many times longer the context became.</summary>
    public required double Factor { get; init; }

    /// <summary>Positions that the model was first trained for.</summary>
    public required int OriginalMaxPositionEmbeddings { get; init; }

    /// <summary>Pairs that turn at least this often over the original positions keep their speed.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Pairs that turn at most this often are slowed by the whole factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Strength of the correction of rotated numbers.</summary>
    public double Mscale { get; init; } = 1;

    /// <summary>Strength of the correction of whole scores; 0 for none.</summary>
    public double MscaleAllDim { get; init; }

    /// <summary>Factor on cosines and sines: m(mscale) / m(mscale_all_dim), with m(s) = 0.1 · s · ln(factor) + 1.</summary>
    public double RotaryFactor => Magnitude(Mscale) / Magnitude(MscaleAllDim);

    /// <summary>Factor on attention scores: m(mscale_all_dim)².</summary>
    public double ScoreFactor => Magnitude(MscaleAllDim) * Magnitude(MscaleAllDim);

    private double Magnitude(double strength) => Factor <= 1 ? 1 : 0.1 * strength * Math.Log(Factor) + 1;
}
