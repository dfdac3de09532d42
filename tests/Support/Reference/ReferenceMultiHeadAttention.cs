namespace LatentMoE.Tests.Support.Reference;

/// <summary>
/// Causal multi-head attention with rotate-half positions over one whole sequence; key heads may be fewer than query heads.
/// </summary>
public sealed record ReferenceMultiHeadAttention(int NumHeads, int NumKeyValueHeads, int HeadDim, double Theta)
{
    /// <param name="q">[T, H·dh]</param>
    /// <param name="k">[T, KV·dh]</param>
    /// <param name="v">[T, KV·dh]</param>
    /// <returns>[T, H·dh]</returns>
    public double[] Forward(double[] q, double[] k, double[] v)
    {
        int tokens = q.Length / (NumHeads * HeadDim);
        q = Rotate(q, NumHeads);
        k = Rotate(k, NumKeyValueHeads);
        var output = new double[q.Length];
        for (int t = 0; t < tokens; t++)
        {
            for (int h = 0; h < NumHeads; h++)
            {
                int g = h / (NumHeads / NumKeyValueHeads), at = (t * NumHeads + h) * HeadDim;
                var scores = new double[t + 1];
                for (int j = 0; j <= t; j++)
                {
                    for (int i = 0; i < HeadDim; i++)
                    {
                        scores[j] += q[at + i] * k[(j * NumKeyValueHeads + g) * HeadDim + i] / Math.Sqrt(HeadDim);
                    }
                }
                ReferenceMath.Softmax(scores);
                for (int j = 0; j <= t; j++)
                {
                    for (int i = 0; i < HeadDim; i++)
                    {
                        output[at + i] += scores[j] * v[(j * NumKeyValueHeads + g) * HeadDim + i];
                    }
                }
            }
        }
        return output;
    }

    private double[] Rotate(double[] x, int heads)
    {
        var y = new double[x.Length];
        for (int i = 0; i < x.Length / HeadDim; i++)
        {
            ReferenceMath.Rope(x.AsSpan(i * HeadDim, HeadDim), i / heads, Theta, interleave: false).CopyTo(y, i * HeadDim);
        }
        return y;
    }
}
