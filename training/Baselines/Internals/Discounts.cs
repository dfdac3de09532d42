namespace LatentMoE.Training.Baselines.Internals;

/// <summary>
/// What is taken from a count of one, two, and three or more: Y = n1 / (n1 + 2 n2), D_k = k - (k + 1) Y n_(k+1) / n_k
/// (Chen and Goodman 1999, equation 26). Counts too few to estimate from give k / 2.
/// </summary>
internal readonly record struct Discounts(double One, double Two, double ThreeOrMore)
{
    public static Discounts Estimate(ReadOnlySpan<long> counts)
    {
        Span<double> n = stackalloc double[5];
        n.Clear();
        foreach (long count in counts)
        {
            if (count <= 4)
            {
                n[(int)count]++;
            }
        }
        double y = n[1] / (n[1] + 2 * n[2]);
        return new Discounts(Of(1, n, y), Of(2, n, y), Of(3, n, y));

        static double Of(int k, ReadOnlySpan<double> n, double y)
        {
            double discount = k - (k + 1) * y * n[k + 1] / n[k];
            return discount > 0 && discount <= k ? discount : k / 2.0;
        }
    }

    public double Of(long count) => count switch { 1 => One, 2 => Two, _ => ThreeOrMore };
}
