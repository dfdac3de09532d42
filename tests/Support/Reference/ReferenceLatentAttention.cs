namespace LatentMoE.Tests.Support.Reference;

/// <summary>
/// Latent attention in its full form (keys and values of every head are expanded from the latent), with the cache rules of
/// operators.md taken literally: one token after the other, a token's slot is its position, dead tokens are not written.
/// </summary>
public sealed record ReferenceLatentAttention(int NumHeads, int QkNopeHeadDim, int QkRopeHeadDim, int VHeadDim, int KvLoraRank,
    double Theta, double Epsilon, bool RopeInterleave)
{
    private int Width => KvLoraRank + QkRopeHeadDim;

    /// <param name="q">[B, S, H(dn + dr)]</param>
    /// <param name="kv">[B, S, r + dr]</param>
    /// <param name="positions">[B, S]</param>
    /// <param name="mask">[B, T]</param>
    /// <param name="past">[B, P, r + dr]: the rows of the cache, both halves joined.</param>
    /// <returns>out [B, S, H·dv]; present [B, max(P, T), r + dr].</returns>
    public (double[] Out, double[] Present) Forward(
        double[] q, double[] kv, float[] kvNorm, float[] kvB, long[] positions, long[] mask, double[] past, int batch)
    {
        int tokens = positions.Length / batch, total = mask.Length / batch, before = past.Length / batch / Width;
        int columns = Math.Max(before, total);
        var present = new double[batch * columns * Width];
        for (int b = 0; b < batch; b++)
        {
            Array.Copy(past, b * before * Width, present, b * columns * Width, before * Width);
        }
        int used = Enumerable.Range(0, mask.Length).Where(i => mask[i] != 0).Select(i => i % total + 1).DefaultIfEmpty(0).Max();
        int offset = Math.Max(used - tokens, 0);
        for (int b = 0; b < batch; b++)
        {
            for (int s = 0; s < tokens; s++)
            {
                long position = positions[b * tokens + s];
                if (position >= 0 && mask[b * total + offset + s] != 0)
                {
                    double[] row = kv[((b * tokens + s) * Width)..((b * tokens + s + 1) * Width)];
                    double[] latent = ReferenceMath.RmsNorm(row[..KvLoraRank], kvNorm, Epsilon);
                    double[] key = ReferenceMath.Rope(row.AsSpan(KvLoraRank), position, Theta, RopeInterleave);
                    latent.CopyTo(present, (b * columns + position) * Width);
                    key.CopyTo(present, (b * columns + position) * Width + KvLoraRank);
                }
            }
        }
        var output = new double[batch * tokens * NumHeads * VHeadDim];
        for (int b = 0; b < batch; b++)
        {
            double[] rows = present[(b * columns * Width)..((b + 1) * columns * Width)];
            for (int s = 0; s < tokens; s++)
            {
                long position = positions[b * tokens + s];
                for (int h = 0; h < NumHeads && position >= 0; h++)
                {
                    int qk = QkNopeHeadDim + QkRopeHeadDim, at = ((b * tokens + s) * NumHeads + h) * qk;
                    double[] head = Attend(q[at..(at + qk)], rows, kvB, h, position);
                    head.CopyTo(output, ((b * tokens + s) * NumHeads + h) * VHeadDim);
                }
            }
        }
        return (output, present);
    }

    private double[] Attend(double[] query, double[] rows, float[] kvB, int head, long position)
    {
        int block = (QkNopeHeadDim + VHeadDim) * KvLoraRank;
        float[] matrix = kvB[(head * block)..((head + 1) * block)];
        double[] turned = ReferenceMath.Rope(query.AsSpan(QkNopeHeadDim), position, Theta, RopeInterleave);
        var scores = new double[position + 1];
        var values = new double[position + 1][];
        for (int j = 0; j <= position; j++)
        {
            double[] expanded = ReferenceMath.Linear(rows[(j * Width)..(j * Width + KvLoraRank)], matrix, KvLoraRank); // (dn + dv)
            for (int i = 0; i < QkNopeHeadDim; i++)
            {
                scores[j] += query[i] * expanded[i];
            }
            for (int i = 0; i < QkRopeHeadDim; i++)
            {
                scores[j] += turned[i] * rows[j * Width + KvLoraRank + i];
            }
            scores[j] /= Math.Sqrt(QkNopeHeadDim + QkRopeHeadDim);
            values[j] = expanded[QkNopeHeadDim..];
        }
        ReferenceMath.Softmax(scores);
        var result = new double[VHeadDim];
        for (int j = 0; j <= position; j++)
        {
            for (int i = 0; i < VHeadDim; i++)
            {
                result[i] += scores[j] * values[j][i];
            }
        }
        return result;
    }
}
