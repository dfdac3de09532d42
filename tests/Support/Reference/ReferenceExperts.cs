namespace LatentMoE.Tests.Support.Reference;

/// <summary>
/// The mixture of experts of operators.md for flat inputs: gate_up [E, 2I, d] with the gate's rows first, down [E, d, I].
/// </summary>
public static class ReferenceExperts
{
    /// <param name="x">[N, d]</param>
    /// <param name="experts">[N, k]; −1 is skipped.</param>
    /// <param name="weights">[N, k]</param>
    /// <param name="sharedGateUp">[2Is, d], or null without shared experts.</param>
    public static double[] Forward(double[] x, int[] experts, double[] weights, int width, int hidden,
        float[] gateUp, float[] down, float[]? sharedGateUp, float[]? sharedDown)
    {
        int tokens = x.Length / width, slots = experts.Length / tokens;
        var y = new double[x.Length];
        for (int t = 0; t < tokens; t++)
        {
            double[] row = x[(t * width)..((t + 1) * width)];
            void Accumulate(double weight, float[] matrices, float[] back)
            {
                double[] part = ReferenceMath.SwiGlu(row, matrices[..(matrices.Length / 2)], matrices[(matrices.Length / 2)..], back);
                for (int i = 0; i < width; i++)
                {
                    y[t * width + i] += weight * part[i];
                }
            }
            for (int s = 0; s < slots; s++)
            {
                int e = experts[t * slots + s], up = 2 * hidden * width, back = width * hidden;
                if (e >= 0)
                {
                    Accumulate(weights[t * slots + s], gateUp[(e * up)..((e + 1) * up)], down[(e * back)..((e + 1) * back)]);
                }
            }
            if (sharedGateUp is not null)
            {
                Accumulate(1, sharedGateUp, sharedDown!);
            }
        }
        return y;
    }
}
