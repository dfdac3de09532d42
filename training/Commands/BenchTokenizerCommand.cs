using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using LatentMoE.Checkpoints;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Training.Data;
using LatentMoE.Training.Data.Internals;
using LatentMoE.Training.Data.Stories;
using LatentMoE.Training.Tokenization;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>bench-tokenizer</c>: how long a tokenizer takes to train on a text and to encode it, and the memory that both take.</summary>
internal static class BenchTokenizerCommand
{
    private const double MB = 1e6;
    private const int DocumentsAtOnce = 1024, StoriesAtOnce = 10;

    public static Command Create(IAnsiConsole console)
    {
        var data = CommonOptions.Data();
        var megabytes = new Option<int>("--megabytes") { Description = "Of the text: the data is read again and again until there is so much, or stories are generated", DefaultValueFactory = _ => 100 };
        var vocabulary = new Option<int>("--vocabulary") { Description = "Tokens of the tokenizer that is trained", DefaultValueFactory = _ => 32_000 };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "A tokenizer.json to encode with, instead of training one" };
        var runs = new Option<int>("--runs") { Description = "Passes of encoding, of which the median counts", DefaultValueFactory = _ => 5 };
        var command = new Command("bench-tokenizer", "Time the training of a tokenizer, and encoding with it") { data, megabytes, vocabulary, tokenizer, runs };
        command.SetAction(parsed =>
        {
            int size = parsed.GetValue(megabytes), rounds = parsed.GetValue(runs);
            if (size < 1 || rounds < 1)
            {
                throw new CheckpointException($"--megabytes is {size} and --runs is {rounds}; expected at least 1 of each.");
            }
            string folder = Directory.CreateTempSubdirectory("latentmoe-tokenizer-").FullName;
            try
            {
                var text = new RepeatedText(parsed.GetValue(data) ?? Stories(folder, size), (long)(size * MB));
                FigureTable.Print(console, Measure(text, parsed.GetValue(vocabulary), parsed.GetValue(tokenizer), rounds, folder));
                return 0;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static IEnumerable<(string Name, string Value)> Measure(RepeatedText text, int vocabulary, string? given, int rounds, string folder)
    {
        long documents = text.Documents().LongCount();
        yield return ("Text", I($"{documents:N0} documents, {text.Bytes / MB:0.0} MB, {text.Name}; {Environment.ProcessorCount} cores"));
        TokenizerFile tokenizer;
        if (given is null)
        {
            long start = Stopwatch.GetTimestamp();
            var trained = BpeTrainer.Train(text.Documents(), vocabulary, CorpusOptions.SpecialTokens);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            trained.Write(folder, modelMaxLength: 512);
            tokenizer = TokenizerFile.Load(folder);
            yield return ("Training", I($"{trained.Tokens.Count:N0} tokens in {seconds:0.0} s, {text.Bytes / MB / seconds:0.0} MB/s; resident memory at most {Peak() / MB:0} MB"));
        }
        else
        {
            tokenizer = TokenizerFile.Load(given);
            yield return ("Tokenizer", I($"{tokenizer.VocabularySize:N0} tokens"));
        }
        foreach (int threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            double[] speeds = [.. Enumerable.Range(0, rounds).Select(_ => Encode(threads)).Order()];
            yield return (I($"Encoding, {threads} {(threads == 1 ? "thread" : "threads")}"), I($"{speeds[rounds / 2]:0.0} MB/s, {speeds[0]:0.0} to {speeds[^1]:0.0} in {rounds} passes"));
        }
        yield return ("Memory", I($"resident at most {Peak() / MB:0} MB"));

        // Reading the text is not in the time.
        double Encode(int threads)
        {
            var clock = new Stopwatch();
            foreach (string[] some in text.Documents().Chunk(DocumentsAtOnce))
            {
                clock.Start();
                Parallel.For(0, some.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, () => new List<int>(), (i, _, ids) =>
                {
                    ids.Clear();
                    tokenizer.EncodeText(some[i], ids);
                    return ids;
                }, _ => { });
                clock.Stop();
            }
            return text.Bytes / MB / clock.Elapsed.TotalSeconds;
        }
    }

    private static string Stories(string folder, int megabytes)
    {
        string path = Path.Combine(folder, "generated-stories.txt");
        using var file = new StreamWriter(path);
        for (int part = 0; part < megabytes; part += StoriesAtOnce)
        {
            foreach (string story in StoryGenerator.Generate((ulong)part + 1, (int)(Math.Min(StoriesAtOnce, megabytes - part) * MB)))
            {
                file.Write(story);
                file.Write($"\n{CorpusOptions.Separator}\n");
            }
        }
        return path;
    }

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static string I(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // The documents of a text, again and again until they have so many bytes; nothing of it is kept.
    private sealed class RepeatedText
    {
        private readonly CorpusSource _source;
        private readonly long _wanted;

        public RepeatedText(string path, long bytes)
        {
            (_source, _wanted) = (CorpusSource.Open(path), bytes);
            Bytes = Documents().Sum(document => (long)Encoding.UTF8.GetByteCount(document));
        }

        public string Name => _source.Name;

        public long Bytes { get; }

        public IEnumerable<string> Documents()
        {
            long read = 0;
            while (read < _wanted)
            {
                foreach (string document in _source.Documents())
                {
                    yield return document;
                    read += Encoding.UTF8.GetByteCount(document);
                    if (read >= _wanted)
                    {
                        yield break;
                    }
                }
            }
        }
    }
}
