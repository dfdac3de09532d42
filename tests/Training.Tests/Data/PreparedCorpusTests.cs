using System.Text;
using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Tokenization;

namespace LatentMoE.Training.Tests.Data;

public class PreparedCorpusTests
{
    private const string Separator = "\n<|endoftext|>\n";

    private static readonly string[] Documents = [.. Enumerable.Range(0, 60).Select(i => $"Story number {i}. The cat of house {i % 7} sat on the mat and said \"hello\" to dog {i * 3}.")];

    private static PreparedCorpus Prepare(TextFolder folder, string? path, Func<CorpusOptions, CorpusOptions>? change = null, IProgress<string>? progress = null)
    {
        var options = new CorpusOptions { DataPath = path, VocabularySize = 300, ValidationFraction = 0.2, StoryBytes = 60_000 };
        return PreparedCorpus.Prepare(change?.Invoke(options) ?? options, folder["cache"], progress);
    }

    private static string[] Texts(PreparedCorpus corpus, TokenStream stream)
    {
        int[] tokens = stream.ToArray();
        Assert.Equal((0, 0), (tokens[0], tokens[^1]));
        string text = corpus.Tokenizer.Decode(tokens, skipSpecialTokens: false);
        string[] documents = text.Split("<|endoftext|>", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(stream.Documents, documents.Length);
        return documents;
    }

    [Fact]
    public void Prepare_OfAFile_KeepsEveryDocumentOnOneSide()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Prepare(folder, folder.Write("data.txt", string.Join(Separator, Documents)));
        string[] train = Texts(corpus, corpus.Train), validation = Texts(corpus, corpus.Validation);
        Assert.Equal(Documents.Order(), train.Concat(validation).Order());
        Assert.InRange(validation.Length, 4, 24);
        Assert.Equal(Documents.Where(train.Contains), train);
        Assert.Equal(train.Sum(Encoding.UTF8.GetByteCount), corpus.TrainBytes);
        Assert.Equal(validation.Sum(Encoding.UTF8.GetByteCount), corpus.ValidationBytes);
        Assert.Contains("60 documents", corpus.Description);
        Assert.Contains("data.txt", corpus.Description);
    }

    [Fact]
    public void Prepare_TrainsTheTokenizerOnTheTrainingSideOnly()
    {
        using var folder = new TextFolder();
        // Every document repeats a word of its own.
        string[] documents = [.. Enumerable.Range(0, 60).Select(i => string.Join(' ', Enumerable.Repeat($"{(char)('a' + i % 13)}{(char)('n' + i % 11)}{(char)('a' + i % 17)}", 5)))];
        using PreparedCorpus corpus = Prepare(folder, folder.Write("data.txt", string.Join(Separator, documents)), options => options with { VocabularySize = 380 });
        BpeVocabulary expected = BpeTrainer.Train(Texts(corpus, corpus.Train), 380, CorpusOptions.SpecialTokens);
        Assert.Equal(expected.Tokens, Enumerable.Range(0, corpus.VocabularySize).Select(corpus.Tokenizer.Token));
        Assert.NotEqual(BpeTrainer.Train(documents, 380, CorpusOptions.SpecialTokens).Merges, expected.Merges);
    }

    [Fact]
    public void Prepare_OfEveryForm_GivesTheSameTokens()
    {
        using var folder = new TextFolder();
        string file = folder.Write("one.txt", "\uFEFF" + string.Join(Separator, Documents) + Separator + "  \n");
        for (int i = 0; i < Documents.Length; i++)
        {
            folder.Write($"many/{i:D2}.txt", Documents[i]);
        }
        string lines = folder.Write("lines.jsonl", string.Join("\n", Documents.Select((text, i) => JsonSerializer.Serialize(new { id = i, text })).Append("")));
        string windows = folder.Write("windows.jsonl", File.ReadAllText(lines).Replace("\n", "\r\n"));
        using PreparedCorpus expected = Prepare(folder, file);
        foreach (string path in new[] { folder["many"], lines, windows })
        {
            using PreparedCorpus corpus = Prepare(folder, path);
            Assert.Equal(expected.Train.ToArray(), corpus.Train.ToArray());
            Assert.Equal(expected.Validation.ToArray(), corpus.Validation.ToArray());
            Assert.Equal(expected.Fingerprint, corpus.Fingerprint);
        }
    }

    [Fact]
    public void Prepare_Again_UsesTheCache()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        using PreparedCorpus first = Prepare(folder, path);
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(first.TokenizerFolder, "train-00000.tokens"));
        using PreparedCorpus second = Prepare(folder, path);
        Assert.False(first.FromCache);
        Assert.True(second.FromCache);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(second.TokenizerFolder, "train-00000.tokens")));
        Assert.Equal((first.Fingerprint, first.Description, first.TrainBytes, first.ValidationBytes, first.Train.Documents),
            (second.Fingerprint, second.Description, second.TrainBytes, second.ValidationBytes, second.Train.Documents));
    }

    [Fact]
    public void Prepare_OfAnythingElse_HasAnotherFingerprint()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents)), other = folder.Write("other.txt", string.Join(Separator, Documents) + "!");
        string[] fingerprints = [.. new[] { Prepare(folder, path), Prepare(folder, other), Prepare(folder, path, o => o with { VocabularySize = 290 }), Prepare(folder, path, o => o with { ValidationFraction = 0.3 }) }
            .Select(corpus => { using (corpus) { return corpus.Fingerprint; } })];
        Assert.Equal(4, fingerprints.Distinct().Count());
        using PreparedCorpus longer = Prepare(folder, path, o => o with { ModelMaxLength = 999 });
        Assert.Equal(fingerprints[0], longer.Fingerprint);
        Assert.Contains("\"model_max_length\": 999", File.ReadAllText(Path.Combine(longer.TokenizerFolder, "tokenizer_config.json")));
    }

    [Theory]
    [InlineData("train-00000.tokens", 200)]
    [InlineData("validation-00000.tokens", 100)]
    [InlineData("tokenizer.json", 60)]
    [InlineData("corpus.json", 5)]
    public void Prepare_MakesADamagedCorpusAgain(string name, int at)
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        int[] expected;
        string file;
        using (PreparedCorpus corpus = Prepare(folder, path))
        {
            expected = corpus.Train.ToArray();
            file = Path.Combine(corpus.TokenizerFolder, name);
        }
        byte[] content = File.ReadAllBytes(file);
        content[at] ^= 0x80;
        File.WriteAllBytes(file, content);
        var messages = new List<string>();
        using PreparedCorpus again = Prepare(folder, path, progress: new Messages(messages));
        Assert.False(again.FromCache);
        Assert.Contains(messages, message => message.Contains("damaged") && message.Contains(name));
        Assert.Equal(expected, again.Train.ToArray());
        Assert.Single(Directory.GetDirectories(folder["cache"]));
    }

    [Fact]
    public void Prepare_WhileAnotherRunFinishes_OpensWhatThatMade()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        PreparedCorpus? first = null;
        using PreparedCorpus second = Prepare(folder, path, progress: new Messages([], () => first ??= Prepare(folder, path)));
        using (first)
        {
            Assert.False(first!.FromCache);
            Assert.True(second.FromCache);
            Assert.Equal(first.Train.ToArray(), second.Train.ToArray());
        }
        Assert.Single(Directory.GetDirectories(folder["cache"]));
    }

    [Fact]
    public void Prepare_NamesTheSourceOfItsStreams()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        using PreparedCorpus corpus = Prepare(folder, path);
        foreach (string message in new[]
        {
            Assert.Throws<CheckpointException>(() => new BatchSampler(corpus.Train, 1, (int)corpus.Train.Count, 0)).Message,
            Assert.Throws<CheckpointException>(() => new ValidationWindows(corpus.Validation, (int)corpus.Validation.Count, corpus.Tokenizer)).Message,
        })
        {
            Assert.StartsWith(path, message);
            Assert.Contains("a preset with a shorter sequence", message);
        }
    }

    [Fact]
    public void Prepare_WithATokenizer_UsesIt()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        using PreparedCorpus first = Prepare(folder, path);
        first.CopyTokenizerTo(folder["checkpoint"]);
        string other = folder.Write("other.txt", string.Join(Separator, Documents.Select(text => text.Replace("cat", "bird"))));
        using PreparedCorpus second = Prepare(folder, other, options => options with { TokenizerPath = folder["checkpoint"] });
        Assert.Equal(File.ReadAllText(Path.Combine(first.TokenizerFolder, "tokenizer.json")), File.ReadAllText(Path.Combine(second.TokenizerFolder, "tokenizer.json")));
        Assert.Contains("bird", second.Tokenizer.Decode(second.Train.ToArray()));
    }

    [Fact]
    public void Prepare_OfOneDocument_HoldsOutItsEnd()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Prepare(folder, folder.Write("book.txt", string.Join("\n", Documents)));
        Assert.Equal((1, 1), (corpus.Train.Documents, corpus.Validation.Documents));
        string train = Texts(corpus, corpus.Train)[0], validation = Texts(corpus, corpus.Validation)[0];
        Assert.Equal(string.Join("\n", Documents), train + "\n" + validation);
        Assert.InRange(validation.Length / (double)(train.Length + validation.Length), 0.19, 0.23);
    }

    [Fact]
    public void Prepare_OfTwoDocuments_HoldsOutOne()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Prepare(folder, folder.Write("data.txt", Documents[0] + Separator + Documents[1]), options => options with { ValidationFraction = 0.001 });
        Assert.Equal((1, 1), (corpus.Train.Documents, corpus.Validation.Documents));
    }

    [Fact]
    public void Prepare_OfATinyText_MakesASmallerVocabulary()
    {
        using var folder = new TextFolder();
        var messages = new List<string>();
        using PreparedCorpus corpus = Prepare(folder, folder.Write("data.txt", "one two" + Separator + "three four"), options => options with { VocabularySize = 5_000 }, new Messages(messages));
        Assert.InRange(corpus.VocabularySize, 258, 300);
        Assert.Contains(messages, message => message.Contains("not 5,000"));
    }

    [Fact]
    public void Prepare_OfNoData_TellsStories()
    {
        using var folder = new TextFolder();
        using PreparedCorpus corpus = Prepare(folder, null, options => options with { VocabularySize = 512, ValidationFraction = 0.1 });
        Assert.InRange(corpus.TrainBytes + corpus.ValidationBytes, 60_000, 63_000);
        Assert.Empty(Texts(corpus, corpus.Train).Intersect(Texts(corpus, corpus.Validation)));
        Assert.Contains("story generator", corpus.Description);
    }

    [Fact]
    public void Prepare_KeepsSpecialTokensSpelledInTextAsText()
    {
        using var folder = new TextFolder();
        string[] documents = [.. Documents.Select(text => text + " <|pad|>")];
        using PreparedCorpus corpus = Prepare(folder, folder.Write("data.txt", string.Join(Separator, documents)));
        Assert.DoesNotContain(1, corpus.Train.ToArray());
        Assert.EndsWith("<|pad|>", Texts(corpus, corpus.Train)[0]);
    }

    [Fact]
    public void Prepare_CancelledLeavesNothingBehind()
    {
        using var folder = new TextFolder();
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        using var cancel = new CancellationTokenSource();
        var progress = new Messages([], () => cancel.Cancel());
        Assert.Throws<OperationCanceledException>(() => PreparedCorpus.Prepare(new CorpusOptions { DataPath = path, VocabularySize = 300 }, folder["cache"], progress, cancel.Token));
        Assert.Empty(Directory.GetFileSystemEntries(folder["cache"]));
    }

    [Fact]
    public void Prepare_RefusesATooSmallVocabulary()
    {
        using var folder = new TextFolder();
        Assert.Contains("at least 258", Assert.Throws<CheckpointException>(() => Prepare(folder, null, options => options with { VocabularySize = 257 })).Message);
    }

    [Fact]
    public void Prepare_RefusesATokenizerWithoutTheSeparator()
    {
        using var folder = new TextFolder();
        BpeTrainer.Train(Documents, 300, ["<s>", "</s>"]).Write(folder["foreign"], 64);
        string path = folder.Write("data.txt", string.Join(Separator, Documents));
        var e = Assert.Throws<CheckpointException>(() => Prepare(folder, path, options => options with { TokenizerPath = folder["foreign"] }));
        Assert.Contains("<|endoftext|>", e.Message);
    }

    private sealed class Messages(List<string> messages, Action? then = null) : IProgress<string>
    {
        public void Report(string value)
        {
            messages.Add(value);
            then?.Invoke();
        }
    }
}
