using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Chooses one token from the logits of a step: reads log-probabilities, adjusts single logits, masks, then takes the largest or draws.
/// Works in buffers rented once: a step allocates nothing but the log-probabilities that it returns.
/// Draws walk the vocabulary in id order, so that tiny differences between devices rarely change a draw.
/// </summary>
internal sealed class Sampler : IDisposable
{
    // Values that are summed at once.
    internal const int SumBlock = 1024;
    private readonly GenerationOptions _options;
    private readonly ITokenConstraint? _constraint;
    private readonly RandomStream _random;
    private readonly int _vocabulary;
    private readonly LogprobReader? _logprobs;
    private readonly LogitAdjustment _adjustment;
    private readonly Truncation _truncation;
    private readonly float[] _weights;

    /// <param name="vocabulary">Logits of a step.</param>
    /// <param name="constraint">Where the answer stands in its grammar; null where it is free.</param>
    public Sampler(GenerationOptions options, int vocabulary, ITokenConstraint? constraint = null)
    {
        (_options, _vocabulary, _constraint) = (options, vocabulary, constraint);
        Seed = options.Seed ?? BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());
        _random = new RandomStream(Seed);
        _logprobs = options.Logprobs is { } top ? new LogprobReader(top, vocabulary) : null;
        _adjustment = new LogitAdjustment(options, vocabulary);
        _truncation = new Truncation(options, vocabulary);
        _weights = Rented.Array<float>(options.Temperature > 0 ? vocabulary : 0);
    }

    public ulong Seed { get; }

    /// <summary>Whether a choice needs the logits of its step alone and nothing that SelectToken lacks, so that the operator can make it.</summary>
    public bool IsMemoryless =>
        _adjustment.IsNone && _constraint is null && _logprobs is null && (_options.TypicalP == 1 || _options.Temperature == 0);

    /// <summary>Whether the grammar has the answer whole, and nothing may follow.</summary>
    public bool IsComplete => _constraint is { IsComplete: true };

    /// <summary>The next draw for SelectToken, in [0, 1).</summary>
    public float NextUniform() => (_random.NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Notes a token of the prompt.</summary>
    public void Accept(int promptToken) => _adjustment.Accept(promptToken);

    /// <summary>Notes a token of the answer: penalties count it, the grammar goes on past it.</summary>
    public void AcceptGenerated(int token)
    {
        _adjustment.AcceptGenerated(token);
        _constraint?.Accept(token);
    }

    /// <summary>The next token, and its log-probabilities where the options ask for them. <paramref name="logits"/> [vocabulary] may be overwritten.</summary>
    /// <inheritdoc cref="Sample(Span{float})"/>
    public int Sample(Span<float> logits, out TokenLogprobs? logprobs)
    {
        _logprobs?.Read(logits);
        int token = Sample(logits);
        logprobs = _logprobs?.Of(token);
        return token;
    }

    /// <summary>The next token. <paramref name="logits"/> [vocabulary] may be overwritten.</summary>
    /// <exception cref="NoTokenLeftException">The request's own demands leave none.</exception>
    /// <exception cref="InvalidOperationException">No token can be chosen: a logit is NaN or +∞, or all are −∞.</exception>
    public int Sample(Span<float> logits)
    {
        _adjustment.Apply(logits);
        if (_constraint is not null)
        {
            TokenMask.Apply(_constraint.Allowed(), logits);
        }
        int best = Best(logits);
        float largest = logits[best];
        if (!float.IsFinite(largest))
        {
            throw Unusable(best, largest);
        }
        return _options.Temperature == 0 ? best : Draw(Weights(logits, largest), _random.NextDouble());
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
        return _truncation.Apply(logits, largest, weights);
    }

    /// <summary>The token of the largest logit, the lowest of equals; a NaN counts as the largest.</summary>
    internal static int Best(ReadOnlySpan<float> logits)
    {
        int best = TensorPrimitives.IndexOfMax(logits); // the first of equals; the first NaN, if there is one
        return logits[best] == 0 ? logits.IndexOf(0f) : best; // IndexOfMax puts +0 before -0
    }

    private static NoTokenLeftException NoneLeft(string why, string cause) => new($"{why}, so no token can be chosen: {cause}.");

    internal static InvalidOperationException NoToken(string why) =>
        new($"{why}, so no token can be chosen: the model or its package is damaged.");

    public void Dispose()
    {
        _logprobs?.Dispose();
        _adjustment.Dispose();
        _truncation.Dispose();
        Rented.Return(_weights);
    }

    private InvalidOperationException Unusable(int token, float logit)
    {
        string why = $"The logit of token {token} is {logit}{(float.IsNegativeInfinity(logit) ? ", the largest of all" : "")}";
        return _constraint is not null && float.IsNegativeInfinity(logit)
                ? NoneLeft(why, $"{nameof(GenerationOptions.Grammar)} allows none here, or {nameof(GenerationOptions.LogitBias)} forbids those that it allows")
            : !_adjustment.IsNone && !float.IsNaN(logit)
                ? NoneLeft(why, $"{nameof(GenerationOptions.LogitBias)} or a penalty is too large, or the model or its package is damaged")
            : NoToken(why);
    }

    /// <summary>The token in which this share of the weights ends.</summary>
    /// <param name="uniform">In [0, 1).</param>
    internal static int Draw(ReadOnlySpan<float> weights, double uniform)
    {
        double rest = uniform * Total(weights);
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
        return weights.LastIndexOfAnyExcept(0f); // rounding left a remainder behind the last token
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
