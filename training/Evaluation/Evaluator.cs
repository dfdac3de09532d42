using System.Globalization;
using LatentMoE.Training.Baselines;
using LatentMoE.Training.Data;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Evaluation;

/// <summary>A model's loss on held-out text.</summary>
/// <param name="Loss">Nats per token.</param>
/// <param name="BitsPerByte">Bits per byte of text: comparable between tokenizers.</param>
/// <param name="Tokens">Predicted tokens.</param>
public sealed record EvaluationResult(double Loss, double BitsPerByte, long Tokens)
{
    public double Perplexity => Math.Exp(Loss);

    /// <summary>For people: <c>12.3% lower</c> (or higher) than a loss on the same tokens.</summary>
    public string Against(double other) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(1 - Loss / other) * 100:0.0}% {(Loss <= other ? "lower" : "higher")}");
}

/// <summary>Mean loss over fixed windows, without dropout and without touching the random state: a run with evaluations trains the same model as one without.</summary>
public static class Evaluator
{
    // Counting n-grams takes memory in proportion to the text; beyond this it would be the largest part of a run.
    private const long MaxBaselineTokens = 100_000_000;

    /// <summary>What n-gram models of the training text lose on the same windows; null if there is too much text to count.</summary>
    public static NgramLosses? Baselines(PreparedCorpus corpus, ValidationWindows windows) =>
        corpus.Train.Count <= MaxBaselineTokens ? NgramBaselines.Evaluate(corpus.Train, windows, corpus.VocabularySize) : null;

    /// <param name="model">Left in evaluation mode.</param>
    /// <param name="windows">What to predict.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="tokens">Tokens at a time, about.</param>
    public static EvaluationResult Evaluate(Transformer model, ValidationWindows windows, ComputeDevice device, int tokens = 4096)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        model.eval();
        model.ComputeType = device.Dtype;
        int length = windows.Sequence, batch = Math.Max(1, tokens / length);
        double sum = 0;
        for (int first = 0; first < windows.Count; first += batch)
        {
            using var step = NewDisposeScope();
            int count = Math.Min(batch, windows.Count - first);
            var inputs = new long[count * length];
            var targets = new long[count * length];
            for (int i = 0; i < count; i++)
            {
                windows.Fill(first + i, inputs.AsSpan(i * length, length), targets.AsSpan(i * length, length));
            }
            var loss = model.Loss(tensor(inputs, [count, length]).to(device.Device), tensor(targets, [count, length]).to(device.Device));
            sum += loss.to(ScalarType.Float64).item<double>() * count;
        }
        double mean = sum / windows.Count;
        return new EvaluationResult(mean, windows.BitsPerByte(mean), windows.Tokens);
    }
}
