using LatentMoE.Training.Data;

namespace LatentMoE.Training.Baselines;

/// <summary>Mean losses in nats a token.</summary>
public sealed record NgramLosses(double Bigram, double Trigram);

/// <summary>
/// What counting alone reaches: bigram and trigram models, both interpolated with modified Kneser-Ney smoothing (the strongest form of
/// each), on the very tokens that the neural model is judged by. Both see the true tokens before each prediction, over window borders too.
/// </summary>
public static class NgramBaselines
{
    /// <summary>Trains on one stream and predicts every target of the windows.</summary>
    public static NgramLosses Evaluate(TokenStream train, ValidationWindows validation, int vocabularySize)
    {
        int[] tokens = validation.Stream.ToArray();
        return Evaluate(train.ToArray(), vocabularySize, separator: tokens[0], model =>
        {
            double sum = 0;
            for (int window = 0; window < validation.Count; window++)
            {
                sum += model.NegativeLogLikelihood(tokens, checked((int)validation.Start(window) + 1), validation.Sequence);
            }
            return sum / validation.Tokens;
        });
    }

    /// <summary>Trains on one stream and predicts all of the other but its first token; <paramref name="separator"/> divides documents in both.</summary>
    public static NgramLosses Evaluate(ReadOnlySpan<int> train, ReadOnlySpan<int> validation, int vocabularySize, int separator = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(validation.Length, 2);
        int[] tokens = validation.ToArray();
        return Evaluate(train.ToArray(), vocabularySize, separator, model => model.NegativeLogLikelihood(tokens, 1, tokens.Length - 1) / (tokens.Length - 1));
    }

    private static NgramLosses Evaluate(int[] train, int vocabularySize, int separator, Func<KneserNeyModel, double> loss)
    {
        double bigram = 0, trigram = 0;
        Parallel.Invoke(
            () => bigram = loss(KneserNeyModel.Train(train, 2, vocabularySize, separator)),
            () => trigram = loss(KneserNeyModel.Train(train, 3, vocabularySize, separator)));
        return new NgramLosses(bigram, trigram);
    }
}
