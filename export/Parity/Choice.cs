using System.Globalization;

namespace LatentMoE.Export.Parity;

/// <summary>The likeliest next tokens of the package beside those of its float32 form. Reported, not limited.</summary>
/// <param name="Tokens">Tokens compared.</param>
/// <param name="Same">Those whose likeliest next token is the same.</param>
/// <param name="Gap">
/// Largest difference between the float32 form's best logit and that of the package's other choice, as a share of the range; 0 where
/// all are the same.
/// </param>
public sealed record Choice(int Tokens, int Same, double Gap)
{
    /// <summary>One sentence for people.</summary>
    public string Text() => string.Create(CultureInfo.InvariantCulture, $"the likeliest next token is the same after {Same} of {Tokens} tokens")
        + (Same == Tokens ? "" : string.Create(CultureInfo.InvariantCulture,
            $"; where it is another, the float32 form has the two at most {Gap:0.0e+0} of the range apart"));

    /// <param name="logits">[tokens, vocabulary], as <paramref name="expected"/>.</param>
    internal static Choice Of(int tokens, float[] logits, float[] expected)
    {
        int vocabulary = expected.Length / tokens, same = 0;
        double gap = 0;
        for (int token = 0; token < tokens; token++)
        {
            var reference = expected.AsSpan(token * vocabulary, vocabulary);
            int chosen = Best(logits.AsSpan(token * vocabulary, vocabulary)), best = Best(reference);
            same += chosen == best ? 1 : 0;
            gap = Math.Max(gap, (double)reference[best] - reference[chosen]);
        }
        double range = (double)expected.Max() - expected.Min();
        return new(tokens, same, range > 0 ? gap / range : gap);
    }

    // The first of the largest.
    private static int Best(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int i = 1; i < row.Length; i++)
        {
            best = row[i] > row[best] ? i : best;
        }
        return best;
    }
}
