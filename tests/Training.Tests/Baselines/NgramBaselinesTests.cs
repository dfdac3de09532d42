using LatentMoE.Training.Baselines;
using LatentMoE.Training.Data;
using LatentMoE.Training.Tests.Data;

namespace LatentMoE.Training.Tests.Baselines;

public class NgramBaselinesTests
{
    [Fact]
    public void Evaluate_OnStories_RanksTheModels()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = PreparedCorpus.Prepare(new CorpusOptions { VocabularySize = 1_024, StoryBytes = 600_000 }, folder["cache"]);
        var windows = new ValidationWindows(corpus.Validation, 128, corpus.Tokenizer);
        NgramLosses losses = NgramBaselines.Evaluate(corpus.Train, windows, corpus.VocabularySize);
        double uniform = Math.Log(corpus.VocabularySize);
        Assert.True(losses.Trigram < 0.8 * losses.Bigram && losses.Bigram < 0.6 * uniform, $"trigram {losses.Trigram}, bigram {losses.Bigram}, uniform {uniform}");
        Assert.True(losses.Trigram > 0.5, $"trigram {losses.Trigram}: the held-out stories are known");
    }

    [Fact]
    public void Evaluate_OfWindows_IsTheMeanOverTheirTargets()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = PreparedCorpus.Prepare(new CorpusOptions { VocabularySize = 400, StoryBytes = 60_000, ValidationFraction = 0.2 }, folder["cache"]);
        int[] train = corpus.Train.ToArray(), validation = corpus.Validation.ToArray();
        var all = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer);
        NgramLosses whole = NgramBaselines.Evaluate(train, validation.AsSpan(0, (int)all.Tokens + 1), corpus.VocabularySize);
        NgramLosses windowed = NgramBaselines.Evaluate(corpus.Train, all, corpus.VocabularySize);
        Assert.Equal(whole.Bigram, windowed.Bigram, 10);
        Assert.Equal(whole.Trigram, windowed.Trigram, 10);

        var some = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer, maxWindows: 3);
        KneserNeyModel model = KneserNeyModel.Train(train, 2, corpus.VocabularySize);
        double expected = Enumerable.Range(0, 3).Sum(window => model.NegativeLogLikelihood(validation, (int)some.Start(window) + 1, 32)) / 96;
        Assert.Equal(expected, NgramBaselines.Evaluate(corpus.Train, some, corpus.VocabularySize).Bigram, 12);
    }
}
