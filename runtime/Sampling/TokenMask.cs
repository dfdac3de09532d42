using System.Numerics;

namespace LatentMoE.Runtime.Sampling;

/// <summary>Takes away the tokens that a constraint does not allow.</summary>
internal static class TokenMask
{
    private const int Word = 64;

    /// <summary>Makes the logits of the others −∞.</summary>
    /// <param name="allowed">A bit a logit, lowest first.</param>
    public static void Apply(ReadOnlySpan<ulong> allowed, Span<float> logits)
    {
        for (int start = 0; start < logits.Length; start += Word)
        {
            var word = logits[start..Math.Min(start + Word, logits.Length)];
            ulong taken = ~allowed[start / Word];
            if (taken == ulong.MaxValue)
            {
                word.Fill(float.NegativeInfinity);
                continue;
            }
            taken &= ulong.MaxValue >> (Word - word.Length);
            for (; taken != 0; taken &= taken - 1)
            {
                word[BitOperations.TrailingZeroCount(taken)] = float.NegativeInfinity;
            }
        }
    }
}
