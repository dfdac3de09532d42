namespace LatentMoE.Export.Parity;

/// <summary>The difference of two tensors of one length, and the range of the second.</summary>
internal readonly record struct Difference(double Value, double Range)
{
    public double Relative => Range > 0 ? Value / Range : Value;

    public static Difference Of(float[] actual, float[] expected, Measure measure)
    {
        double largest = 0, squares = 0, low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int i = 0; i < actual.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            (largest, squares) = (Math.Max(largest, difference), squares + difference * difference);
            (low, high) = (Math.Min(low, expected[i]), Math.Max(high, expected[i]));
        }
        return new(measure == Measure.Maximum ? largest : Math.Sqrt(squares / actual.Length), high - low);
    }
}
