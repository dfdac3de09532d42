using System.Runtime.InteropServices;

namespace LatentMoE.Training.Baselines.Internals;

/// <summary>The counts of one order, and how much each context gives up to the order below.</summary>
internal sealed class NgramOrder
{
    private readonly Dictionary<ulong, long> _counts;
    private readonly Dictionary<ulong, Context> _contexts = [];
    private readonly Discounts _discounts;

    /// <param name="grams">Different grams.</param>
    /// <param name="counts">Their counts.</param>
    public NgramOrder(ulong[] grams, long[] counts)
    {
        _discounts = Discounts.Estimate(counts);
        _counts = new Dictionary<ulong, long>(grams.Length);
        for (int i = 0; i < grams.Length; i++)
        {
            _counts.Add(grams[i], counts[i]);
            ref Context context = ref CollectionsMarshal.GetValueRefOrAddDefault(_contexts, Ngram.Context(grams[i]), out _);
            context.Total += counts[i];
            context.GivenUp += _discounts.Of(counts[i]);
        }
    }

    /// <summary>The gram's probability, given that of its last token in the order below; an unseen context leaves all to that.</summary>
    public double Interpolate(ulong gram, double lower)
    {
        if (!_contexts.TryGetValue(Ngram.Context(gram), out Context context))
        {
            return lower;
        }
        long count = _counts.GetValueOrDefault(gram);
        double kept = count == 0 ? 0 : count - _discounts.Of(count);
        return (kept + context.GivenUp * lower) / context.Total;
    }

    private struct Context
    {
        public long Total;
        public double GivenUp;
    }
}
