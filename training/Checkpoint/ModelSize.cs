namespace LatentMoE.Checkpoints;

/// <summary>Counts that follow from a <see cref="ModelConfig"/> alone.</summary>
/// <param name="TotalParameters">All weights; a tied head counts once.</param>
/// <param name="ActiveParameters">Weights that one token multiplies: the chosen and shared experts, all linear layers, the head; not the embedding look-up of an untied model.</param>
/// <param name="FlopsPerToken">Two per active weight of a matrix product, with an empty cache.</param>
/// <param name="CacheNumbersPerToken">Numbers kept per token over all layers.</param>
public sealed record ModelSize(long TotalParameters, long ActiveParameters, long FlopsPerToken, long CacheNumbersPerToken)
{
    public static ModelSize Of(ModelConfig c)
    {
        long d = c.HiddenSize, head = (long)c.VocabSize * d;
        long total = 0, active = 0, norms = d;
        for (int layer = 0; layer < c.NumHiddenLayers; layer++)
        {
            long attention = Attention(c, out long attentionNorms);
            norms += attentionNorms + 2 * d;
            total += attention;
            active += attention;
            if (c.IsMoELayer(layer))
            {
                long expert = 3 * d * c.MoeIntermediateSize, gate = d * c.NRoutedExperts;
                total += expert * (c.NRoutedExperts + c.NSharedExperts) + gate + c.NRoutedExperts;
                active += expert * (c.NumExpertsPerTok + c.NSharedExperts) + gate;
            }
            else
            {
                total += 3 * d * c.IntermediateSize;
                active += 3 * d * c.IntermediateSize;
            }
        }
        var (heads, width) = c.CacheShape;
        total += norms + (c.TieWordEmbeddings ? head : 2 * head);
        return new(total, active + head + norms, 2 * (active + head), 2L * heads * width * c.NumHiddenLayers);
    }

    private static long Attention(ModelConfig c, out long norms)
    {
        long d = c.HiddenSize, h = c.NumAttentionHeads;
        norms = 0;
        if (!c.IsLatent)
        {
            return d * c.MultiHeadDim * (2 * h + 2 * c.NumKeyValueHeads);
        }
        norms = c.KvLoraRank + (c.QLoraRank ?? 0);
        long query = c.QLoraRank is int rank ? rank * (d + h * c.QkHeadDim) : d * h * c.QkHeadDim;
        return query + d * (c.KvLoraRank + c.QkRopeHeadDim) + c.KvLoraRank * h * (c.QkNopeHeadDim + c.VHeadDim) + h * c.VHeadDim * d;
    }
}
