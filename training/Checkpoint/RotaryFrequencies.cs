namespace LatentMoE.Checkpoints;

/// <summary>How fast each pair of rotary positions turns (arXiv 2104.09864), stretched by YaRN where the configuration asks for it.</summary>
public static class RotaryFrequencies
{
    /// <summary>Radians a position for every pair, [RopeDim / 2]: theta^(−2i/width) without scaling.</summary>
    public static double[] Of(ModelConfig config)
    {
        int width = config.RopeDim;
        var result = new double[width / 2];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = Math.Pow(config.RopeTheta, -2.0 * i / width);
        }
        if (config.RopeScaling is YarnScaling yarn)
        {
            Stretch(result, yarn, config.RopeTheta);
        }
        return result;
    }

    // From pair low on, the factor takes hold; from pair high on, wholly (arXiv 2309.00071, section 3.2, with whole numbers as bounds).
    private static void Stretch(double[] frequencies, YarnScaling yarn, double theta)
    {
        int width = 2 * frequencies.Length;
        double Pair(double turns) =>
            width * Math.Log(yarn.OriginalMaxPositionEmbeddings / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        double low = Math.Max(Math.Floor(Pair(yarn.BetaFast)), 0), high = Math.Min(Math.Ceiling(Pair(yarn.BetaSlow)), width - 1);
        if (low == high)
        {
            high += 0.001; // As the published code has it.
        }
        for (int i = 0; i < frequencies.Length; i++)
        {
            double share = Math.Clamp((i - low) / (high - low), 0, 1);
            frequencies[i] *= 1 - share + share / yarn.Factor;
        }
    }
}
