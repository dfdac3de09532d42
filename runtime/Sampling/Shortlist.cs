using System.Numerics.Tensors;

namespace LatentMoE.Runtime.Sampling;

/// <summary>
/// Collects the keys (<see cref="Ranking"/>) of the few tokens that matter. Blocks whose largest value is too small are never looked into.
/// </summary>
internal static class Shortlist
{
    // Tokens that are looked at, or skipped, at once.
    private const int Block = 32;

    /// <summary>The k largest logits, all where there are fewer, in no particular order. The k-th largest of the blocks' maxima bounds them from below.</summary>
    /// <param name="keys">Room for a key of every logit.</param>
    public static Span<ulong> Largest(ReadOnlySpan<float> logits, int k, Span<ulong> keys)
    {
        int blocks = (logits.Length + Block - 1) / Block;
        float least = float.NegativeInfinity;
        if (k <= blocks)
        {
            for (int block = 0; block < blocks; block++)
            {
                keys[block] = Ranking.Key(TensorPrimitives.Max(BlockAt(logits, block * Block)), block);
            }
            int last = Ranking.Select(keys[..blocks], [], k) - 1;
            least = TensorPrimitives.Max(BlockAt(logits, Ranking.Id(keys[last]) * Block));
        }
        var candidates = AtLeast(logits, logits, least, keys);
        return candidates[..Ranking.Select(candidates, [], k)];
    }

    /// <summary>The tokens whose value is at least so large, in the order of their ids.</summary>
    /// <param name="keys">Room for a key of every logit.</param>
    public static Span<ulong> AtLeast(ReadOnlySpan<float> logits, ReadOnlySpan<float> values, float least, Span<ulong> keys)
    {
        int count = 0;
        for (int start = 0; start < values.Length; start += Block)
        {
            var block = BlockAt(values, start);
            if (TensorPrimitives.Max(block) < least)
            {
                continue;
            }
            for (int i = 0; i < block.Length; i++)
            {
                if (block[i] >= least)
                {
                    keys[count++] = Ranking.Key(logits[start + i], start + i);
                }
            }
        }
        return keys[..count];
    }

    private static ReadOnlySpan<float> BlockAt(ReadOnlySpan<float> values, int start) => values[start..Math.Min(start + Block, values.Length)];
}
