using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Locally typical sampling (Meister et al., arXiv 2202.00666): of the tokens that have weight, keeps those whose information, −log p, is
/// nearest to the expected one, the fewest that hold the mass. Of tokens equally near the lower id comes first.
/// </summary>
internal sealed class TypicalSet : IDisposable
{
    // Scores below it have no weight in float32; a sum of products must not meet 0 · −∞.
    private const float Weightless = -200;
    private readonly GenerationOptions _options;
    private readonly float[] _scores;
    private readonly ulong[] _keys;

    public TypicalSet(GenerationOptions options, int vocabulary)
    {
        _options = options;
        _scores = Rented.Array<float>(vocabulary);
        _keys = Rented.Array<ulong>(vocabulary);
    }

    /// <summary>Zeroes the weights of the other tokens. A weight is 0 or the exponential of its logit less the largest, over the temperature.</summary>
    public void Apply(ReadOnlySpan<float> logits, float largest, Span<float> weights)
    {
        var scores = _scores.AsSpan(0, weights.Length);
        TensorPrimitives.Subtract(logits, largest, scores);
        TensorPrimitives.Divide(scores, _options.Temperature, scores);
        TensorPrimitives.Max(scores, Weightless, scores);
        double mass = Sampler.Total(weights);
        // log p is the score less the log of the mass, which drops out of the difference to its mean.
        float mean = (float)(Products(weights, scores) / mass);
        int count = 0;
        for (int id = 0; id < weights.Length; id++)
        {
            if (weights[id] > 0)
            {
                _keys[count++] = Ranking.Key(-MathF.Abs(scores[id] - mean), id);
            }
        }
        var keys = _keys.AsSpan(0, count);
        foreach (ulong key in keys[Ranking.Select(keys, weights, _options.TypicalP * mass)..])
        {
            weights[Ranking.Id(key)] = 0;
        }
    }

    public void Dispose()
    {
        Rented.Return(_scores);
        Rented.Return(_keys);
    }

    private static double Products(ReadOnlySpan<float> weights, ReadOnlySpan<float> scores)
    {
        double total = 0;
        for (int start = 0; start < weights.Length; start += Sampler.SumBlock)
        {
            int end = Math.Min(start + Sampler.SumBlock, weights.Length);
            total += TensorPrimitives.Dot(weights[start..end], scores[start..end]);
        }
        return total;
    }
}
