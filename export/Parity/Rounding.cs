using System.Globalization;

namespace LatentMoE.Export.Parity;

/// <summary>What a precision costs: the package's logits beside those that training computed in float32. Reported, not limited.</summary>
/// <param name="MaxDifference">Largest difference of two logits, as a share of the reference's range.</param>
/// <param name="RootMeanSquare">The same of the root mean square.</param>
/// <param name="Divergence">Mean Kullback-Leibler divergence of the next token's distribution from the reference's, in nats.</param>
/// <param name="Loss">Mean cross entropy of the reference's own tokens, in nats; null for sequences of one token.</param>
/// <param name="ReferenceLoss">The reference's.</param>
public sealed record Rounding(double MaxDifference, double RootMeanSquare, double Divergence, double? Loss, double? ReferenceLoss)
{
    /// <summary>One sentence for people.</summary>
    public string Text()
    {
        string loss = Loss is double now && ReferenceLoss is double before
            ? Invariant($", loss {now:0.0000} nats a token instead of {before:0.0000} (perplexity {Percent(now - before):+0.00;-0.00;0.00}%)") : "";
        return Invariant($"largest difference {MaxDifference:0.0e+0} of the range, root mean square {RootMeanSquare:0.0e+0}, ")
            + Invariant($"divergence {Divergence:0.0e+0} nats a token{loss}");
    }

    // Rounded before it is written, or a trace of a loss would have both signs.
    private static double Percent(double nats) => Math.Round(100 * (Math.Exp(nats) - 1), 2);

    /// <param name="ids">[rows, tokens]</param>
    /// <param name="logits">[rows, tokens, vocabulary], as <paramref name="reference"/>.</param>
    internal static Rounding Of(long[] ids, int rows, float[] logits, float[] reference)
    {
        int tokens = ids.Length / rows, vocabulary = reference.Length / ids.Length, targets = rows * (tokens - 1);
        double divergence = 0, loss = 0, referenceLoss = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            double[] actual = LogProbabilities(logits.AsSpan(i * vocabulary, vocabulary));
            double[] expected = LogProbabilities(reference.AsSpan(i * vocabulary, vocabulary));
            for (int v = 0; v < vocabulary; v++)
            {
                divergence += Math.Exp(expected[v]) * (expected[v] - actual[v]);
            }
            if ((i + 1) % tokens != 0)
            {
                (loss, referenceLoss) = (loss - actual[ids[i + 1]], referenceLoss - expected[ids[i + 1]]);
            }
        }
        return new(
            Difference.Of(logits, reference, Measure.Maximum).Relative, Difference.Of(logits, reference, Measure.RootMeanSquare).Relative,
            divergence / ids.Length, targets > 0 ? loss / targets : null, targets > 0 ? referenceLoss / targets : null);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static double[] LogProbabilities(ReadOnlySpan<float> logits)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float value in logits)
        {
            largest = Math.Max(largest, value);
        }
        foreach (float value in logits)
        {
            sum += Math.Exp(value - largest);
        }
        var result = new double[logits.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = logits[i] - largest - Math.Log(sum);
        }
        return result;
    }
}
