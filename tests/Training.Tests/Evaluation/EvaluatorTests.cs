using LatentMoE.Training.Data;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Model;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Tests.Trainer;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Evaluation;

[Collection(TorchCollection.Name)]
public sealed class EvaluatorTests : IDisposable
{
    private readonly SmallRun _small = new();
    private readonly PreparedCorpus _corpus;

    public EvaluatorTests() => _corpus = _small.Prepare();

    public void Dispose()
    {
        _corpus.Dispose();
        _small.Dispose();
    }

    private Transformer Create() => Models.Create(TrainingRun.ForCorpus(SmallRun.Preset, _corpus).Model, dropout: 0.5);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Evaluate_IsTheMeanOverAllTokensWhateverTheBatch(int batch)
    {
        using var scope = NewDisposeScope();
        using var model = Create();
        var windows = new ValidationWindows(_corpus.Validation, 16, _corpus.Tokenizer);
        double sum = 0;
        long[] inputs = new long[16], targets = new long[16];
        model.eval();
        for (int w = 0; w < windows.Count; w++)
        {
            windows.Fill(w, inputs, targets);
            sum += model.Loss(tensor(inputs, [1, 16]), tensor(targets, [1, 16])).item<float>();
        }
        var result = Evaluator.Evaluate(model, windows, Models.Cpu, tokens: 16 * batch);
        Assert.Equal(sum / windows.Count, result.Loss, 5);
        Assert.Equal(Math.Exp(result.Loss), result.Perplexity);
        Assert.Equal(result.Loss * windows.Tokens / Math.Log(2) / windows.Bytes, result.BitsPerByte, 9);
    }

    [Fact]
    public void Evaluate_LeavesTheRandomStateAlone()
    {
        using var scope = NewDisposeScope();
        using var model = Create();
        manual_seed(5);
        Evaluator.Evaluate(model, new ValidationWindows(_corpus.Validation, 16, _corpus.Tokenizer), Models.Cpu);
        float after = rand(1).item<float>();
        manual_seed(5);
        Assert.Equal(rand(1).item<float>(), after);
    }

    [Fact]
    public void Generate_IsDeterministicAndKeepsThePrompt()
    {
        using var model = Create();
        string Sample(double temperature, int seed) => TextSample.Generate(model, _corpus.Tokenizer, "Tom had", 12, temperature, seed, Models.Cpu);
        Assert.StartsWith("Tom had", Sample(0, 1));
        Assert.Equal(Sample(0, 1), Sample(0, 2));
        Assert.Equal(Sample(1, 1), Sample(1, 1));
        Assert.NotEqual(Sample(1, 1), Sample(1, 2));
    }
}
