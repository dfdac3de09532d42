using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Model;
using LatentMoE.Training.Reports;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;

namespace LatentMoE.Training.Tests.Trainer;

[Collection(TorchCollection.Name)]
public sealed class TrainingRunTests : IDisposable
{
    private readonly SmallRun _small = new();
    private readonly PreparedCorpus _corpus;

    public TrainingRunTests() => _corpus = _small.Prepare();

    public void Dispose()
    {
        _corpus.Dispose();
        _small.Dispose();
    }

    [Fact]
    public void Train_StoppedAndResumedIsTheSameRun()
    {
        string straight = Path.Combine(_small.Root, "straight"), stopped = Path.Combine(_small.Root, "stopped");
        Assert.Equal(9, SmallRun.Train(_corpus, straight, _small.Report));
        Assert.Equal(3, SmallRun.Train(_corpus, stopped, _small.Report, stopAfter: 3));
        Assert.False(File.Exists(Path.Combine(stopped, "training.json")));
        Assert.Equal(7, SmallRun.Train(_corpus, stopped, _small.Report, stopAfter: 7));
        Assert.Equal(9, SmallRun.Train(_corpus, stopped, _small.Report));
        foreach (string file in new[] { "model.safetensors", "reference.safetensors", Path.Combine("best", "model.safetensors"), Path.Combine("trainer_state", "step-00000009.safetensors") })
        {
            Assert.True(File.ReadAllBytes(Path.Combine(straight, file)).SequenceEqual(File.ReadAllBytes(Path.Combine(stopped, file))), $"{file} differs");
        }
        var losses = MetricsLog.Read(Path.Combine(straight, "metrics.jsonl")).Select(r => (r.Step, r.Loss, r.ValidationLoss));
        Assert.Equal(losses, MetricsLog.Read(Path.Combine(stopped, "metrics.jsonl")).Select(r => (r.Step, r.Loss, r.ValidationLoss)));
    }

    [Fact]
    public void Train_KilledBetweenSavesGoesOnFromTheLast()
    {
        string straight = Path.Combine(_small.Root, "straight"), killed = Path.Combine(_small.Root, "killed");
        SmallRun.Train(_corpus, straight, _small.Report);
        SmallRun.Train(_corpus, killed, _small.Report, stopAfter: 5);
        // As if the process had died later on: rows and a half-written state beyond the last save.
        File.AppendAllText(Path.Combine(killed, "metrics.jsonl"), "{\"step\":6,\"tokens\":192,\"loss\":1}\n{\"ste");
        File.WriteAllText(Path.Combine(killed, "trainer_state", "step-00000008.safetensors.partial"), "half");
        SmallRun.Train(_corpus, killed, _small.Report);
        Assert.Equal(File.ReadAllBytes(Path.Combine(straight, "model.safetensors")), File.ReadAllBytes(Path.Combine(killed, "model.safetensors")));
    }

    [Fact]
    public void Train_KeepsTheNewestThreeStates()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report, recipe: SmallRun.Preset.Recipe with { EvalInterval = 2 });
        Assert.Equal(["step-00000006.safetensors", "step-00000008.safetensors", "step-00000009.safetensors"], States());
    }

    [Fact]
    public void Train_PassesOverDamagedStates()
    {
        string straight = Path.Combine(_small.Root, "straight");
        SmallRun.Train(_corpus, straight, _small.Report);
        SmallRun.Train(_corpus, _small.Output, _small.Report, stopAfter: 7); // states of steps 4 and 7
        Assert.Equal(["step-00000004.safetensors", "step-00000007.safetensors"], States());
        string newest = Path.Combine(_small.Output, "trainer_state", "step-00000007.safetensors");
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[^5] ^= 1; // one bit of the values: shapes and sizes are as they should be
        File.WriteAllBytes(newest, bytes);
        var said = new List<string>();
        Assert.Equal(9, SmallRun.Train(_corpus, _small.Output, _small.Report, say: said.Add));
        string sentence = Assert.Single(said);
        Assert.StartsWith(newest + ": ", sentence);
        Assert.EndsWith("Going on from step-00000004.safetensors, the state before it.", sentence);
        Assert.Equal(File.ReadAllBytes(Path.Combine(straight, "model.safetensors")), File.ReadAllBytes(Path.Combine(_small.Output, "model.safetensors")));
    }

    [Fact]
    public void Train_WithoutAnyWholeStateSaysWhatToDo()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report, stopAfter: 5);
        foreach (string state in Directory.GetFiles(Path.Combine(_small.Output, "trainer_state"), "step-*"))
        {
            File.WriteAllBytes(state, File.ReadAllBytes(state)[..^7]);
        }
        var error = Assert.Throws<CheckpointException>(() => SmallRun.Train(_corpus, _small.Output, _small.Report));
        Assert.Contains("no saved state is whole", error.Message);
        Assert.Contains("step-00000005.safetensors", error.Message);
    }

    [Fact]
    public void Train_GoesOnFromTheOneStateOfEarlierVersions()
    {
        string straight = Path.Combine(_small.Root, "straight"), folder = Path.Combine(_small.Output, "trainer_state");
        SmallRun.Train(_corpus, straight, _small.Report);
        SmallRun.Train(_corpus, _small.Output, _small.Report, stopAfter: 3);
        using (var file = SafetensorsFile.Open(Path.Combine(folder, "step-00000003.safetensors")))
        {
            SafetensorsWriter.Write(Path.Combine(folder, "state.safetensors"), file.Tensors.Where(t => t.Name != "validation").Select(t => new SafetensorsEntry(t.Name, t.DType, [.. t.Shape], t.CopyTo)));
        }
        File.Delete(Path.Combine(folder, "step-00000003.safetensors"));
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        Assert.Equal(File.ReadAllBytes(Path.Combine(straight, "model.safetensors")), File.ReadAllBytes(Path.Combine(_small.Output, "model.safetensors")));
    }

    [Fact]
    public void Train_TheBestIsACheckpointOfTheLowestHeldOutLoss()
    {
        // Steps of this size ruin what the first ones learned.
        var recipe = SmallRun.Preset.Recipe with { Steps = 30, EvalInterval = 3, LearningRate = 0.9, WarmupSteps = 25, MinLearningRateRatio = 1 };
        SmallRun.Train(_corpus, _small.Output, _small.Report, recipe: recipe);
        var rows = MetricsLog.Read(Path.Combine(_small.Output, "metrics.jsonl")).Where(r => r.ValidationLoss is not null).ToList();
        double lowest = rows.Min(r => r.ValidationLoss!.Value);
        Assert.True(rows[^1].ValidationLoss > lowest + 0.01, "the last weights must not be the best for this test to say anything");
        using var best = CheckpointFolder.Load(Path.Combine(_small.Output, "best"));
        var windows = new ValidationWindows(_corpus.Validation, recipe.Sequence, _corpus.Tokenizer, 32);
        Assert.Equal(lowest, LatentMoE.Training.Evaluation.Evaluator.Evaluate(best, windows, Models.Cpu).Loss, 1e-9);
        Assert.True(File.Exists(Path.Combine(_small.Output, "best", "reference.safetensors")));
    }

    [Fact]
    public void Train_AutoKeepsTheDtypeThatTheRunBeganWith()
    {
        var preset = TrainingRun.ForCorpus(SmallRun.Preset with { Recipe = SmallRun.Preset.Recipe with { Dtype = "auto" } }, _corpus);
        torch.ScalarType Open(torch.ScalarType machine)
        {
            using var folder = RunFolder.Open(_small.Output, TrainingRun.Identity(preset, _corpus));
            using var run = new TrainingRun(preset, _corpus, folder, Models.Cpu with { Dtype = machine });
            using var stop = new CancellationTokenSource();
            stop.Cancel();
            Assert.False(run.Train(new Progress<TrainingProgress>(), stop.Token));
            return run.Device.Dtype;
        }
        Assert.Equal(torch.ScalarType.BFloat16, Open(torch.ScalarType.BFloat16));
        Assert.Equal(torch.ScalarType.BFloat16, Open(torch.ScalarType.Float32));
    }

    private IEnumerable<string> States() =>
        Directory.GetFiles(Path.Combine(_small.Output, "trainer_state"), "*.safetensors").Select(f => Path.GetFileName(f)).Order();

    [Fact]
    public void Publish_ReferenceBelongsToTheWeights()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        using var scope = torch.NewDisposeScope();
        using var model = CheckpointFolder.Load(_small.Output);
        using var reference = SafetensorsFile.Open(Path.Combine(_small.Output, "reference.safetensors"));
        long[] ids = reference["input_ids"].Span<long>().ToArray();
        int length = (int)reference["input_ids"].Shape[1];
        Assert.Equal([2L, length, _corpus.VocabularySize], reference["logits"].Shape);
        var logits = LatentMoE.Training.Evaluation.ReferenceLogits.Compute(model, ids, length);
        Models.AssertClose("logits", torch.tensor(reference["logits"].ToFloat32(), logits.shape), logits, 0);
        long[] text = new long[length];
        _corpus.Validation.Read(0, text);
        Assert.Equal(text, ids[..length]);
        Assert.All(ids, id => Assert.InRange(id, 0, _corpus.VocabularySize - 1));
    }

    [Fact]
    public void Publish_FolderIsAHuggingFaceCheckpoint()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        var config = ModelConfig.Load(_small.Output);
        Assert.Equal((_corpus.VocabularySize, 0, 0, 1), (config.VocabSize, config.BosTokenId, config.EosTokenId, config.PadTokenId));
        string[] expected = ["config.json", "generation_config.json", "metrics.jsonl", "model.safetensors", "reference.safetensors", "report.html", "tokenizer.json", "tokenizer_config.json", "training.json"];
        Assert.Subset(Directory.GetFiles(_small.Output).Select(f => Path.GetFileName(f)!).ToHashSet(), expected.ToHashSet());
        Assert.Empty(Directory.GetFiles(_small.Output, "*.partial", SearchOption.AllDirectories));
        // What AutoTokenizer and converters ask for.
        using var settings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_small.Output, "tokenizer_config.json")));
        using var tokenizer = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_small.Output, "tokenizer.json")));
        Assert.Equal("PreTrainedTokenizerFast", settings.RootElement.GetProperty("tokenizer_class").GetString());
        Assert.All(new[] { "bos_token", "eos_token", "pad_token", "chat_template" }, key => Assert.Equal(JsonValueKind.String, settings.RootElement.GetProperty(key).ValueKind));
        Assert.Equal("BPE", tokenizer.RootElement.GetProperty("model").GetProperty("type").GetString());
        Assert.Equal(config.VocabSize, tokenizer.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject().Count());
    }

    [Fact]
    public void Finish_SummaryAndMetricsAreWhole()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        var summary = TrainingSummary.Load(Path.Combine(_small.Output, "training.json"));
        Assert.Equal((9, 9 * 32L, _corpus.Fingerprint), (summary.Steps, summary.TokensSeen, summary.Corpus.Fingerprint));
        Assert.True(summary.Evaluation is { Loss: > 0 and < 6, BitsPerByte: > 0 } && summary.Baselines is { Bigram: > 0, Trigram: > 0 });
        Assert.StartsWith("Once upon a time", summary.Sample);
        var rows = MetricsLog.Read(Path.Combine(_small.Output, "metrics.jsonl"));
        Assert.Equal(Enumerable.Range(1, 9), rows.Where(r => r.Loss is not null).Select(r => r.Step));
        Assert.Equal([4, 8, 9], rows.Where(r => r.ValidationLoss is not null).Select(r => r.Step));
        Assert.All(rows.Where(r => r.Loss is not null), r => Assert.Equal((2, 2, 2), (r.MaxLoad!.Count, r.LoadEntropy!.Count, r.DeadExperts!.Count)));
        Assert.Contains("<polyline", File.ReadAllText(_small.Report));
    }

    [Fact]
    public void Finish_WithoutAStepOfItsOwnReportsTheLoggedSpeed()
    {
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        string path = Path.Combine(_small.Output, "training.json");
        double speed = TrainingSummary.Load(path).TokensPerSecond;
        File.Delete(path); // as if it was stopped during the last evaluation
        SmallRun.Train(_corpus, _small.Output, _small.Report);
        Assert.True(speed > 0, $"speed is {speed}");
        Assert.Equal(speed, TrainingSummary.Load(path).TokensPerSecond);
    }

    [Fact]
    public void Train_MinutesBecomeStepsThatAResumedRunKeeps()
    {
        var recipe = SmallRun.Preset.Recipe with { Minutes = 10, WarmupSteps = 12, Sequence = 4 };
        Assert.Equal(14, SmallRun.Train(_corpus, _small.Output, _small.Report, stopAfter: 14, recipe));
        long planned = PlannedSteps();
        Assert.True(planned > 100, $"ten minutes became {planned} steps");
        Assert.Equal(17, SmallRun.Train(_corpus, _small.Output, _small.Report, stopAfter: 17, recipe));
        Assert.Equal(planned, PlannedSteps());
    }

    private long PlannedSteps()
    {
        using var state = SafetensorsFile.Open(new SavedStates(Path.Combine(_small.Output, "trainer_state")).NewestFirst[0]);
        return state["counters"].Span<long>()[1];
    }

    [Fact]
    public void ForCorpus_RefusesTextShorterThanAWindow()
    {
        var preset = SmallRun.Preset with { Recipe = SmallRun.Preset.Recipe with { Sequence = 100_000 } };
        Assert.Contains("fewer than one window of 100000", Assert.Throws<CheckpointException>(() => TrainingRun.ForCorpus(preset, _corpus)).Message);
    }

    [Fact]
    public void Identity_FollowsRecipeModelAndData()
    {
        string Of(Preset preset) => TrainingRun.Identity(TrainingRun.ForCorpus(preset, _corpus), _corpus).ToJsonString();
        string same = Of(SmallRun.Preset);
        Assert.Equal(same, Of(SmallRun.Preset with { }));
        Assert.NotEqual(same, Of(SmallRun.Preset with { Recipe = SmallRun.Preset.Recipe with { Seed = 2 } }));
        Assert.NotEqual(same, Of(SmallRun.Preset with { Model = SmallRun.Preset.Model with { NumExpertsPerTok = 1 } }));
        File.AppendAllText(_small.Data, "One more story.\n");
        using var other = _small.Prepare();
        Assert.NotEqual(same, TrainingRun.Identity(TrainingRun.ForCorpus(SmallRun.Preset, other), other).ToJsonString());
    }
}
