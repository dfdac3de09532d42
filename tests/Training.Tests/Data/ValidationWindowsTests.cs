using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;

namespace LatentMoE.Training.Tests.Data;

public class ValidationWindowsTests
{
    private static PreparedCorpus Corpus(TextFolder folder) =>
        PreparedCorpus.Prepare(new CorpusOptions { VocabularySize = 400, StoryBytes = 60_000, ValidationFraction = 0.2 }, folder["cache"]);

    private static (long[] Inputs, long[] Targets) Fill(ValidationWindows windows, int window)
    {
        var (inputs, targets) = (new long[windows.Sequence], new long[windows.Sequence]);
        windows.Fill(window, inputs, targets);
        return (inputs, targets);
    }

    [Fact]
    public void Fill_PredictsEveryTokenOnce()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Corpus(folder);
        var windows = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer);
        long[] tokens = [.. corpus.Validation.ToArray()];
        Assert.Equal((tokens.Length - 1) / 32, windows.Count);
        Assert.Equal(tokens[1..((int)windows.Tokens + 1)], Enumerable.Range(0, windows.Count).SelectMany(window => Fill(windows, window).Targets));
        Assert.Equal(tokens[..(int)windows.Tokens], Enumerable.Range(0, windows.Count).SelectMany(window => Fill(windows, window).Inputs));
    }

    [Fact]
    public void Bytes_AreThoseOfTheTargets()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Corpus(folder);
        var windows = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer);
        string text = corpus.Tokenizer.Decode(Enumerable.Range(0, windows.Count).SelectMany(window => Fill(windows, window).Targets).Select(id => (int)id));
        Assert.Equal(text.Length, windows.Bytes);
        Assert.InRange(corpus.ValidationBytes - windows.Bytes, 0, 32 * 20);
        Assert.Equal(3 * windows.Tokens / Math.Log(2) / text.Length, windows.BitsPerByte(3), 12);
    }

    [Fact]
    public void ALimit_SpreadsTheWindows()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Corpus(folder);
        int all = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer).Count;
        var windows = new ValidationWindows(corpus.Validation, 32, corpus.Tokenizer, maxWindows: 5);
        Assert.Equal(5, windows.Count);
        Assert.Equal(Enumerable.Range(0, 5).Select(window => window * all / 5 * 32L), Enumerable.Range(0, 5).Select(windows.Start));
        Assert.Throws<ArgumentOutOfRangeException>(() => windows.Start(5));
    }

    [Fact]
    public void AShortStream_IsRefused()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Corpus(folder);
        Assert.Throws<CheckpointException>(() => new ValidationWindows(corpus.Validation, (int)corpus.Validation.Count, corpus.Tokenizer));
    }
}
