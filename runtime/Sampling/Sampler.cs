using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Chooses one token from the logits of a step. Works in buffers rented once: a step allocates nothing.
/// Draws walk the vocabulary in id order, so that tiny differences between devices rarely change a draw.
/// </summary>
internal sealed class Sampler : IDisposable
{
    // Weights that are summed at once.
    private const int SumBlock = 1024;
    private readonly GenerationOptions _options;
    private readonly RandomStream _random;
    private readonly int _vocabulary;
    private readonly Truncation _truncation;
    private readonly float[] _weights;
    private readonly bool[] _seen;
    private readonly int[] _seenIds;
    private int _seenCount;

    public Sampler(GenerationOptions options, int vocabulary)
    {
        (_options, _vocabulary) = (options, vocabulary);
        Seed = options.Seed ?? BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());
        _random = new RandomStream(Seed);
        _truncation = new Truncation(options, vocabulary);
        _weights = Rented.Array<float>(options.Temperature > 0 ? vocabulary : 0);
        _seen = Rented.Array<bool>(options.RepetitionPenalty != 1 ? vocabulary : 0);
        _seenIds = Rented.Array<int>(_seen.Length > 0 ? vocabulary : 0);
        Array.Clear(_seen);
    }

    public ulong Seed { get; }

    /// <summary>Whether a choice needs the logits of its step alone, so that the operator SelectToken can make it.</summary>
    public bool IsMemoryless => _options.RepetitionPenalty == 1;

    /// <summary>The next draw for SelectToken, in [0, 1).</summary>
    public float NextUniform() => (_random.NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Notes a token of the prompt or the answer, for the repetition penalty.</summary>
    public void Accept(int token)
    {
        if (_seen.Length > 0 && (uint)token < (uint)_vocabulary && !_seen[token])
        {
            _seen[token] = true;
            _seenIds[_seenCount++] = token;
        }
    }

    /// <summary>The next token. <paramref name="logits"/> [vocabulary] are overwritten by the penalty.</summary>
    /// <exception cref="InvalidOperationException">No token can be chosen: a logit is NaN or +∞, or all are −∞.</exception>
    public int Sample(Span<float> logits)
    {
        Penalize(logits);
        int best = Best(logits);
        return _options.Temperature == 0 ? best : Draw(Weights(logits, logits[best]), best);
    }

    /// <summary>
    /// What each token [vocabulary] weighs in the draw, the most likely one 1, at a positive temperature;
    /// <paramref name="largest"/> is the largest of the logits. Valid until the next call.
    /// </summary>
    internal ReadOnlySpan<float> Weights(ReadOnlySpan<float> logits, float largest)
    {
        var weights = _weights.AsSpan(0, _vocabulary);
        TensorPrimitives.Subtract(logits, largest, weights);
        TensorPrimitives.Divide(weights, _options.Temperature, weights);
        TensorPrimitives.Exp(weights, weights);
        return _truncation.Apply(logits, weights);
    }

    public void Dispose()
    {
        _truncation.Dispose();
        Rented.Return(_weights);
        Rented.Return(_seen);
        Rented.Return(_seenIds);
    }

    // Keskar et al. 2019, with the sign rule of Hugging Face: a seen token never becomes more likely.
    private void Penalize(Span<float> logits)
    {
        float penalty = _options.RepetitionPenalty;
        foreach (int id in _seenIds.AsSpan(0, _seenCount))
        {
            logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
        }
    }

    private static int Best(Span<float> logits)
    {
        int best = TensorPrimitives.IndexOfMax<float>(logits); // the first of equals; the first NaN, if there is one
        float value = logits[best];
        if (!float.IsFinite(value))
        {
            throw NoToken($"The logit of token {best} is {value}{(float.IsNegativeInfinity(value) ? ", the largest of all" : "")}");
        }
        return value == 0 ? logits.IndexOf(0f) : best; // IndexOfMax puts +0 before -0
    }

    internal static InvalidOperationException NoToken(string why) =>
        new($"{why}, so no token can be chosen: the model or its package is damaged.");

    private int Draw(ReadOnlySpan<float> weights, int fallback)
    {
        double rest = _random.NextDouble() * Total(weights);
        for (int start = 0; start < weights.Length; start += SumBlock)
        {
            var block = weights[start..Math.Min(start + SumBlock, weights.Length)];
            double mass = TensorPrimitives.Sum(block);
            if (rest >= mass)
            {
                rest -= mass;
                continue;
            }
            for (int i = 0; i < block.Length; i++)
            {
                if (rest < block[i])
                {
                    return start + i;
                }
                rest -= block[i];
            }
        }
        return fallback; // rounding left a remainder behind the last token
    }

    internal static double Total(ReadOnlySpan<float> weights)
    {
        double total = 0;
        for (int start = 0; start < weights.Length; start += SumBlock)
        {
            total += TensorPrimitives.Sum(weights[start..Math.Min(start + SumBlock, weights.Length)]);
        }
        return total;
    }
}
