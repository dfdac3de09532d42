using System.CommandLine;
using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Baselines;
using LatentMoE.Training.Data;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Trainer;
using Spectre.Console;
using TorchSharp;

namespace LatentMoE.Training.Commands;

/// <summary><c>evaluate</c>: a checkpoint's loss on the held-out part of a text, beside n-gram models of its training part.</summary>
internal static class EvaluateCommand
{
    // For checkpoints that do not say what they were trained with
    private const int DefaultSequence = 256;

    public static Command Create(IAnsiConsole console)
    {
        var checkpoint = new Option<string>("--checkpoint") { Description = "Checkpoint folder", Required = true };
        var data = CommonOptions.Data();
        var cache = CommonOptions.Cache();
        var device = CommonOptions.Device();
        var sequence = new Option<int?>("--sequence") { Description = "Tokens of a window; default what the checkpoint was trained with" };
        var dtype = new Option<string>("--dtype") { Description = "auto, float32 or bf16: dtype of the products", DefaultValueFactory = _ => "float32" };
        var command = new Command("evaluate", "Loss, perplexity and bits a byte of a checkpoint on held-out text") { checkpoint, data, sequence, device, dtype, cache };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(checkpoint)!;
            var compute = ComputeDevice.Choose(parsed.GetValue(device)!, parsed.GetValue(dtype)!);
            using var model = CheckpointFolder.Load(folder).to(compute.Device);
            int length = parsed.GetValue(sequence) ?? Math.Min(RunFolder.RecordedSequence(folder) ?? DefaultSequence, model.Config.MaxPositionEmbeddings);
            if (length < 1 || length > model.Config.MaxPositionEmbeddings)
            {
                throw new CheckpointException($"{folder}: --sequence is {length}; expected 1 to max_position_embeddings ({model.Config.MaxPositionEmbeddings}).");
            }
            var options = new CorpusOptions { DataPath = parsed.GetValue(data), VocabularySize = model.Config.VocabSize, TokenizerPath = Path.Combine(folder, "tokenizer.json"), ModelMaxLength = model.Config.MaxPositionEmbeddings };
            using var corpus = PreparedCorpus.Prepare(options, parsed.GetValue(cache)!, new PlainProgress(console));
            if (corpus.VocabularySize > model.Config.VocabSize)
            {
                throw new CheckpointException($"{folder}: tokenizer.json has {corpus.VocabularySize} tokens, but vocab_size in config.json is {model.Config.VocabSize}.");
            }
            var windows = new ValidationWindows(corpus.Validation, length, corpus.Tokenizer);
            var result = Evaluator.Evaluate(model, windows, compute);
            FigureTable.Print(console, Figures(corpus, result, Evaluator.Baselines(corpus, windows)));
            return 0;
        });
        return command;
    }

    internal static IEnumerable<(string Name, string Value)> Figures(PreparedCorpus corpus, EvaluationResult result, NgramLosses? baselines)
    {
        yield return ("Text", corpus.Description);
        yield return ("Held-out tokens", Invariant($"{result.Tokens:N0}"));
        yield return ("Loss", Invariant($"{result.Loss:0.0000} nats a token"));
        yield return ("Perplexity", Invariant($"{result.Perplexity:0.000}"));
        yield return ("Bits a byte", Invariant($"{result.BitsPerByte:0.0000}"));
        if (baselines is not null)
        {
            yield return ("Bigram model", Invariant($"{baselines.Bigram:0.0000} nats a token; the checkpoint is {result.Against(baselines.Bigram)}"));
            yield return ("Trigram model", Invariant($"{baselines.Trigram:0.0000} nats a token; the checkpoint is {result.Against(baselines.Trigram)}"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
