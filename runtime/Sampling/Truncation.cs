namespace LatentMoE.Runtime.Sampling;

/// <summary>Top-k, then top-p of what is left, then min-p, then typical: takes the weight from tokens that must not be drawn.</summary>
internal sealed class Truncation : IDisposable
{
    private readonly GenerationOptions _options;
    private readonly int _vocabulary;
    private readonly float[] _kept;
    private readonly ulong[] _keys;
    private readonly TypicalSet? _typical;

    public Truncation(GenerationOptions options, int vocabulary)
    {
        (_options, _vocabulary) = (options, vocabulary);
        int room = options.Temperature > 0 && (options.TopK > 0 || options.TopP < 1) ? vocabulary : 0;
        _kept = Rented.Array<float>(room);
        _keys = Rented.Array<ulong>(room);
        _typical = options.Temperature > 0 && options.TypicalP < 1 ? new TypicalSet(options, vocabulary) : null;
    }

    /// <summary>The weights that are left, the others 0. <paramref name="weights"/> [vocabulary], the largest 1, may be overwritten.</summary>
    /// <param name="largest">The largest of the logits.</param>
    public ReadOnlySpan<float> Apply(ReadOnlySpan<float> logits, float largest, Span<float> weights)
    {
        bool topK = _options.TopK > 0 && _options.TopK < _vocabulary, topP = _options.TopP < 1;
        if (topK || topP)
        {
            var keys = topK ? Shortlist.Largest(logits, _options.TopK, _keys) : default;
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
        _typical?.Apply(logits, largest, weights);
        return weights;
    }

    public void Dispose()
    {
        _typical?.Dispose();
        Rented.Return(_kept);
        Rented.Return(_keys);
    }

    // All but tokens that are lighter than an even share of the mass that top-p drops: together they cannot outweigh it.
    private Span<ulong> Heavy(ReadOnlySpan<float> logits, ReadOnlySpan<float> weights, double dropped) =>
        Shortlist.AtLeast(logits, weights, (float)(dropped / _vocabulary) * 0.999f, _keys);

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
