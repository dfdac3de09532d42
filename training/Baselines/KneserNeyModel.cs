using LatentMoE.Training.Baselines.Internals;

namespace LatentMoE.Training.Baselines;

/// <summary>
/// An interpolated n-gram model with modified Kneser-Ney smoothing (Chen and Goodman 1999, section 4.1.6): three discounts an order,
/// estimated from counts of counts; lower orders count the contexts that a continuation follows; the last resort is uniform.
/// No context reaches over a separator: what stands before one is taken to be separators too.
/// </summary>
public sealed class KneserNeyModel
{
    private readonly NgramOrder[] _orders; // [0]: single tokens
    private readonly int _separator;

    private KneserNeyModel(NgramOrder[] orders, int vocabularySize, int separator)
    {
        (_orders, VocabularySize, _separator) = (orders, vocabularySize, separator);
    }

    /// <summary>2 for a bigram model, 3 for a trigram model.</summary>
    public int Order => _orders.Length;

    public int VocabularySize { get; }

    /// <summary>Counts a token stream. Time is that of sorting it <paramref name="order"/> times.</summary>
    /// <param name="tokens">Ids below <paramref name="vocabularySize"/>, documents divided by <paramref name="separator"/>; the first token is only context.</param>
    /// <param name="order">1, 2 or 3.</param>
    /// <param name="vocabularySize">At most 2,097,152.</param>
    /// <param name="separator">The token between documents.</param>
    public static KneserNeyModel Train(ReadOnlySpan<int> tokens, int order, int vocabularySize, int separator = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens.Length, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)order - 1, 2u, nameof(order));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, Ngram.LargestVocabulary);
        var grams = new ulong[tokens.Length - 1];
        for (int i = 1; i < tokens.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tokens[i], (uint)vocabularySize, nameof(tokens));
            grams[i - 1] = Ngram.Pack(tokens, i, order, separator);
        }
        var counts = new long[grams.Length];
        Array.Fill(counts, 1);
        var orders = new NgramOrder[order];
        for (int n = order; n >= 1; n--)
        {
            Array.Sort(grams, counts);
            Ngram.SumEqual(ref grams, ref counts);
            orders[n - 1] = new NgramOrder(grams, counts);
            if (n > 1)
            {
                ToContinuations(grams, counts, n - 1, separator);
            }
        }
        return new KneserNeyModel(orders, vocabularySize, separator);
    }

    /// <summary>Probability of <c>tokens[at]</c> after the tokens before it.</summary>
    public double Probability(ReadOnlySpan<int> tokens, int at)
    {
        double probability = 1.0 / VocabularySize;
        for (int n = 1; n <= Order; n++)
        {
            probability = _orders[n - 1].Interpolate(Ngram.Pack(tokens, at, n, _separator), probability);
        }
        return probability;
    }

    /// <summary>Sum of the negative log probabilities, in nats, of <paramref name="count"/> tokens from <paramref name="first"/> on, each after all before it.</summary>
    public double NegativeLogLikelihood(ReadOnlySpan<int> tokens, int first, int count)
    {
        double sum = 0;
        for (int at = first; at < first + count; at++)
        {
            sum -= Math.Log(Probability(tokens, at));
        }
        return sum;
    }

    // A gram of the next lower order counts once for every different token before it. Nothing can stand before a document,
    // so a gram that begins there keeps its plain count.
    private static void ToContinuations(ulong[] grams, long[] counts, int order, int separator)
    {
        for (int i = 0; i < grams.Length; i++)
        {
            grams[i] = Ngram.DropFirst(grams[i], order);
            counts[i] = order > 1 && Ngram.First(grams[i], order) == separator ? counts[i] : 1;
        }
    }
}
