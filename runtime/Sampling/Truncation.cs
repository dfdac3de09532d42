using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>Top-k, then top-p of what is left, then min-p: takes the weight from tokens that must not be drawn.</summary>
internal sealed class Truncation : IDisposable
{
    // Tokens that are looked at, or skipped, at once.
    private const int SkipBlock = 32;
    private readonly GenerationOptions _options;
    private readonly int _vocabulary;
    private readonly float[] _kept;
    private readonly ulong[] _keys;

    public Truncation(GenerationOptions options, int vocabulary)
    {
        (_options, _vocabulary) = (options, vocabulary);
        int room = options.Temperature > 0 && (options.TopK > 0 || options.TopP < 1) ? vocabulary : 0;
        _kept = Rented.Array<float>(room);
        _keys = Rented.Array<ulong>(room);
    }

    /// <summary>The weights that are left, the others 0. <paramref name="weights"/> [vocabulary], the largest 1, may be overwritten.</summary>
    public ReadOnlySpan<float> Apply(ReadOnlySpan<float> logits, Span<float> weights)
    {
        bool topK = _options.TopK > 0 && _options.TopK < _vocabulary, topP = _options.TopP < 1;
        if (topK || topP)
        {
            var keys = topK ? LargestK(logits) : default;
            if (topP)
            {
                double mass = topK ? Mass(keys, weights) : Sampler.Total(weights);
                keys = topK ? keys : Heavy(logits, weights, (1 - (double)_options.TopP) * mass);
                keys = keys[..Ranking.Select(keys, weights, _options.TopP * mass)];
            }
            var kept = _kept.AsSpan(0, _vocabulary);
            kept.Clear();
            foreach (ulong key in keys)
            {
                kept[Ranking.Id(key)] = weights[Ranking.Id(key)];
            }
            weights = kept;
        }
        if (_options.MinP > 0)
        {
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = weights[i] < _options.MinP ? 0 : weights[i]; // the most likely token weighs 1
            }
        }
        return weights;
    }

    public void Dispose()
    {
        Rented.Return(_kept);
        Rented.Return(_keys);
    }

    // The k largest. The k-th largest of the blocks' maxima bounds them from below, so that most blocks are never looked into.
    private Span<ulong> LargestK(ReadOnlySpan<float> logits)
    {
        int k = _options.TopK, blocks = (_vocabulary + SkipBlock - 1) / SkipBlock;
        float least = float.NegativeInfinity;
        if (k <= blocks)
        {
            for (int block = 0; block < blocks; block++)
            {
                _keys[block] = Ranking.Key(TensorPrimitives.Max(SkipBlockOf(logits, block)), block);
            }
            int last = Ranking.Select(_keys.AsSpan(0, blocks), [], k) - 1;
            least = TensorPrimitives.Max(SkipBlockOf(logits, Ranking.Id(_keys[last])));
        }
        var keys = Candidates(logits, logits, least);
        return keys[..Ranking.Select(keys, [], k)];
    }

    // All but tokens that are lighter than an even share of the mass that top-p drops: together they cannot outweigh it.
    private Span<ulong> Heavy(ReadOnlySpan<float> logits, ReadOnlySpan<float> weights, double dropped) =>
        Candidates(logits, weights, (float)(dropped / _vocabulary) * 0.999f);

    // The keys of the tokens whose value is at least so large.
    private Span<ulong> Candidates(ReadOnlySpan<float> logits, ReadOnlySpan<float> values, float least)
    {
        int count = 0;
        for (int start = 0; start < _vocabulary; start += SkipBlock)
        {
            var block = SkipBlockOf(values, start / SkipBlock);
            if (TensorPrimitives.Max(block) < least)
            {
                continue;
            }
            for (int i = 0; i < block.Length; i++)
            {
                if (block[i] >= least)
                {
                    _keys[count++] = Ranking.Key(logits[start + i], start + i);
                }
            }
        }
        return _keys.AsSpan(0, count);
    }

    private static ReadOnlySpan<float> SkipBlockOf(ReadOnlySpan<float> values, int block) =>
        values[(block * SkipBlock)..Math.Min((block + 1) * SkipBlock, values.Length)];

    private static double Mass(ReadOnlySpan<ulong> keys, ReadOnlySpan<float> weights)
    {
        double mass = 0;
        foreach (ulong key in keys)
        {
            mass += weights[Ranking.Id(key)];
        }
        return mass;
    }
}
