namespace LatentMoE.Training.Study;

/// <summary>A mean with its 95% confidence interval, mean ± <paramref name="HalfWidth"/>, after Student's t distribution.</summary>
/// <param name="Mean">Of the samples.</param>
/// <param name="HalfWidth">Null with fewer than two samples, which tell nothing of the spread.</param>
/// <param name="Samples">How many.</param>
public sealed record Interval(double Mean, double? HalfWidth, int Samples)
{
    // Two-sided 95% quantiles of Student's t distribution by degrees of freedom.
    private static readonly double[] T =
    [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314,
        2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ];

    private const double Normal = 1.96;

    public double Low => Mean - (HalfWidth ?? double.PositiveInfinity);

    public double High => Mean + (HalfWidth ?? double.PositiveInfinity);

    /// <summary>Of independent samples.</summary>
    public static Interval Of(IReadOnlyList<double> samples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(samples.Count);
        int n = samples.Count;
        double mean = samples.Average();
        if (n < 2)
        {
            return new(mean, null, n);
        }
        double deviation = Math.Sqrt(samples.Sum(x => (x - mean) * (x - mean)) / (n - 1));
        return new(mean, (n - 2 < T.Length ? T[n - 2] : Normal) * deviation / Math.Sqrt(n), n);
    }
}
