namespace LatentMoE.Tests.Support.Reference;

/// <summary>The pieces of a decoder in float64 and plain loops; matrices are row-major arrays.</summary>
public static class ReferenceMath
{
    /// <summary>y = x·Wᵀ for every row of <paramref name="width"/> numbers of x; weight is [out, width].</summary>
    public static double[] Linear(double[] x, float[] weight, int width)
    {
        int rows = x.Length / width, outputs = weight.Length / width;
        var y = new double[rows * outputs];
        for (int r = 0; r < rows; r++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double sum = 0;
                for (int i = 0; i < width; i++)
                {
                    sum += x[r * width + i] * weight[o * width + i];
                }
                y[r * outputs + o] = sum;
            }
        }
        return y;
    }

    /// <summary>Every row of gain's length divided by its root mean square, times gain.</summary>
    public static double[] RmsNorm(double[] x, float[] gain, double epsilon)
    {
        int width = gain.Length;
        var y = new double[x.Length];
        for (int r = 0; r < x.Length / width; r++)
        {
            double squares = 0;
            for (int i = 0; i < width; i++)
            {
                squares += x[r * width + i] * x[r * width + i];
            }
            double factor = 1 / Math.Sqrt(squares / width + epsilon);
            for (int i = 0; i < width; i++)
            {
                y[r * width + i] = x[r * width + i] * factor * gain[i];
            }
        }
        return y;
    }

    /// <summary>down · (silu(gate·x) ∘ up·x) for one row.</summary>
    public static double[] SwiGlu(double[] x, float[] gate, float[] up, float[] down)
    {
        double[] a = Linear(x, gate, x.Length), b = Linear(x, up, x.Length);
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = a[i] / (1 + Math.Exp(-a[i])) * b[i];
        }
        return Linear(a, down, a.Length);
    }

    public static void Softmax(Span<double> x)
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (double v in x)
        {
            max = Math.Max(max, v);
        }
        foreach (ref double v in x)
        {
            v = Math.Exp(v - max);
            sum += v;
        }
        foreach (ref double v in x)
        {
            v /= sum;
        }
    }

    /// <summary>
    /// Turns pair i of <paramref name="x"/> by position · theta^(−2i/width). Pairs are neighbours (interleave) or the two halves;
    /// the result holds all first members, then all second ones.
    /// </summary>
    public static double[] Rope(ReadOnlySpan<double> x, long position, double theta, bool interleave)
    {
        int half = x.Length / 2;
        var y = new double[x.Length];
        for (int i = 0; i < half; i++)
        {
            double angle = position * Math.Pow(theta, -2.0 * i / x.Length);
            double a = interleave ? x[2 * i] : x[i], b = interleave ? x[2 * i + 1] : x[half + i];
            y[i] = a * Math.Cos(angle) - b * Math.Sin(angle);
            y[half + i] = b * Math.Cos(angle) + a * Math.Sin(angle);
        }
        return y;
    }

    public static double[] Add(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];

    public static double[] ToDouble(float[] x) => Array.ConvertAll(x, v => (double)v);
}
