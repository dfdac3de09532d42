using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>Log-probabilities as the model gives them: reads a step's logits before anything changes them, and answers once the token is chosen.</summary>
internal sealed class LogprobReader : IDisposable
{
    private readonly int _top, _vocabulary;
    private readonly float[] _logits;
    private readonly ulong[] _keys;
    private readonly TokenLogprob[] _likeliest;
    private int _likeliestCount;
    private double _logSum;

    /// <param name="top">How many of the likeliest tokens to name.</param>
    public LogprobReader(int top, int vocabulary)
    {
        (_top, _vocabulary) = (top, vocabulary);
        _logits = Rented.Array<float>(vocabulary);
        _keys = Rented.Array<ulong>(top > 0 ? vocabulary : 0);
        _likeliest = new TokenLogprob[top];
    }

    /// <summary>Reads the logits [vocabulary] of a step.</summary>
    /// <exception cref="InvalidOperationException">A logit is NaN or +∞, or all are −∞.</exception>
    public void Read(ReadOnlySpan<float> logits)
    {
        float largest = logits[Sampler.Best(logits)];
        if (!float.IsFinite(largest))
        {
            throw Sampler.NoToken($"The largest logit is {largest}");
        }
        logits.CopyTo(_logits);
        _logSum = largest + Math.Log(SumOfExponentials(logits, largest));
        _likeliestCount = 0;
        if (_top == 0)
        {
            return;
        }
        var keys = Shortlist.Largest(logits, _top, _keys);
        keys.Sort();
        for (int rank = keys.Length - 1; rank >= 0 && !float.IsNegativeInfinity(logits[Ranking.Id(keys[rank])]); rank--)
        {
            int id = Ranking.Id(keys[rank]);
            _likeliest[_likeliestCount++] = new TokenLogprob(id, Logprob(id));
        }
    }

    /// <summary>The log-probabilities of the step that was read last, in which this token was chosen. Impossible tokens are not among the likeliest.</summary>
    public TokenLogprobs Of(int token) => new(Logprob(token), _likeliest.AsSpan(0, _likeliestCount).ToArray());

    public void Dispose()
    {
        Rented.Return(_logits);
        Rented.Return(_keys);
    }

    private float Logprob(int token) => (float)(_logits[token] - _logSum);

    private static double SumOfExponentials(ReadOnlySpan<float> logits, float largest)
    {
        Span<float> room = stackalloc float[Sampler.SumBlock];
        double sum = 0;
        for (int start = 0; start < logits.Length; start += Sampler.SumBlock)
        {
            var block = logits[start..Math.Min(start + Sampler.SumBlock, logits.Length)];
            var exponentials = room[..block.Length];
            TensorPrimitives.Subtract(block, largest, exponentials);
            TensorPrimitives.Exp(exponentials, exponentials);
            sum += TensorPrimitives.Sum<float>(exponentials);
        }
        return sum;
    }
}
