using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Model;
using LatentMoE.Training.Reports;
using TorchSharp;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// A run from its folder's state to its end: steps, evaluations, saves, metrics. What it trains follows from preset, corpus and
/// seed alone; stopping and going on changes nothing of it.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    // Windows of the evaluations along the way; the one at the end takes all.
    private const int EvaluationWindows = 32, MaxMetricsRows = 2000;
    private const string SamplePrompt = "Once upon a time";

    private readonly Preset _preset;
    private readonly PreparedCorpus _corpus;
    private readonly RunFolder _folder;
    private readonly ComputeDevice _device;
    private readonly ModelSize _size;
    private readonly double _peak;
    private readonly TrainingLoop _loop;
    private readonly SpeedMeter _speed;
    private readonly BatchSampler _sampler;
    private ValidationLosses _validation = ValidationLosses.None;

    /// <param name="preset">Its model as <see cref="ForCorpus"/> gives it.</param>
    /// <param name="corpus">What it learns from.</param>
    /// <param name="folder">Where it is kept; its state, if it has one, is taken up.</param>
    /// <param name="device">Where it is computed. A run whose recipe leaves the dtype open goes on in the one that it began with.</param>
    /// <param name="say">Is told what is remarkable about the state that is taken up.</param>
    public TrainingRun(Preset preset, PreparedCorpus corpus, RunFolder folder, ComputeDevice device, Action<string>? say = null)
    {
        bool goesOn = folder.Status == RunStatus.Unfinished;
        if (goesOn && preset.Recipe.Dtype == "auto" && folder.States.NewestFirst.Select(TrainerState.RecordedDtype).FirstOrDefault(t => t is not null) is { } dtype)
        {
            device = device with { Dtype = dtype };
        }
        preset.Recipe.RequireOn(device);
        (_preset, _corpus, _folder, _device) = (preset, corpus, folder, device);
        _size = ModelSize.Of(preset.Model);
        _peak = device.MeasurePeak();
        torch.manual_seed(preset.Recipe.Seed);
        var model = new Transformer(preset.Model, preset.Recipe.Dropout).to(device.Device);
        _sampler = new BatchSampler(corpus.Train, preset.Recipe.Batch, preset.Recipe.Sequence, (ulong)preset.Recipe.Seed);
        _loop = new TrainingLoop(model, preset.Recipe, _sampler.Fill, device);
        _speed = new SpeedMeter(preset.Recipe.TokensPerStep);
        if (goesOn)
        {
            _validation = folder.States.LoadNewest(path => TrainerState.Load(_loop, path), say ?? (_ => { }));
        }
    }

    /// <summary>Steps taken.</summary>
    public int Step => _loop.Step;

    /// <summary>Where it is computed, and in which dtype.</summary>
    public ComputeDevice Device => _device;

    /// <summary>The preset with the vocabulary that the corpus' tokenizer has, and its special tokens.</summary>
    /// <exception cref="CheckpointException">The text is too short for the preset's windows.</exception>
    public static Preset ForCorpus(Preset preset, PreparedCorpus corpus)
    {
        _ = new BatchSampler(corpus.Train, preset.Recipe.Batch, preset.Recipe.Sequence, 0);
        _ = new ValidationWindows(corpus.Validation, preset.Recipe.Sequence, corpus.Tokenizer, maxWindows: 1);
        int? Special(string token) => corpus.Tokenizer.SpecialTokens.TryGetValue(token, out int id) ? id : null;
        int? end = Special("<|endoftext|>");
        var model = preset.Model with { VocabSize = corpus.VocabularySize, BosTokenId = end, EosTokenId = end, PadTokenId = Special("<|pad|>") };
        return preset with { Model = model.Validated(preset.Name) };
    }

    /// <summary>What makes two runs the same: <see cref="RunFolder.Open"/>.</summary>
    public static JsonObject Identity(Preset preset, PreparedCorpus corpus) => new()
    {
        ["preset"] = preset.Name,
        ["model"] = JsonNode.Parse(preset.Model.ToJson()),
        ["training"] = JsonSerializer.SerializeToNode(preset.Recipe),
        ["data"] = corpus.Fingerprint,
    };

    /// <summary>Takes the remaining steps. False if <paramref name="stop"/> asked to stop before the last one; the state is saved either way.</summary>
    /// <exception cref="NonFiniteException">A loss, gradient, weight or moment became NaN or infinite; the last save stands.</exception>
    public bool Train(IProgress<TrainingProgress> progress, CancellationToken stop)
    {
        using var log = new MetricsLog(_folder.Metrics, _loop.Step);
        var plan = _loop.Steps == 0 ? new StepPlan(_preset.Recipe) : null;
        var windows = new ValidationWindows(_corpus.Validation, _preset.Recipe.Sequence, _corpus.Tokenizer, EvaluationWindows);
        while (_loop.Steps == 0 || _loop.Step < _loop.Steps)
        {
            long start = Stopwatch.GetTimestamp();
            var result = _loop.Advance();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _speed.Add(seconds);
            if (_loop.Steps == 0 && plan!.After(result.Step, seconds) is int steps)
            {
                _loop.Steps = steps;
            }
            bool last = result.Step == _loop.Steps, evaluate = last || (_loop.Steps > 0 && result.Step % EvalInterval == 0);
            if (evaluate || result.Step % Math.Max(1, _loop.Steps / MaxMetricsRows) == 0)
            {
                log.Append(Row(result));
            }
            if (evaluate)
            {
                _validation = _validation with { Latest = Evaluator.Evaluate(_loop.Model, windows, _device).Loss };
                log.Append(new MetricsRow { Step = result.Step, Tokens = TokensSeen, ValidationLoss = _validation.Latest });
            }
            bool stopping = stop.IsCancellationRequested && !last;
            if (evaluate || stopping)
            {
                Save();
            }
            progress.Report(Progress(result));
            if (stopping)
            {
                return false;
            }
        }
        return true;
    }

    // The best weights first: a process that is killed between the two does the same again from the state before.
    private void Save()
    {
        using var scope = torch.NewDisposeScope();
        _loop.RequireFinite();
        if (_validation.Latest < _validation.Best)
        {
            var random = torch.get_rng_state(); // reading the folder back, for the reference logits, draws weights first
            CheckpointFolder.Write(_loop.Model, _corpus, _folder.Best);
            torch.set_rng_state(random);
            _validation = _validation with { Best = _validation.Latest };
        }
        _folder.States.Save(_loop.Step, path => TrainerState.Save(_loop, path, _validation));
    }

    /// <summary>Writes the checkpoint's files for other programs as the weights are now.</summary>
    public void Publish() => CheckpointFolder.Write(_loop.Model, _corpus, _folder.Path);

    /// <summary>Evaluates in float32 on all held-out text, compares with n-gram models, and writes the report and training.json: the run is finished.</summary>
    /// <param name="report">Path of the HTML report; a copy goes into the folder.</param>
    /// <param name="baselines">Whether n-gram models of the same tokens are made to compare with.</param>
    public TrainingSummary Finish(string report, bool baselines = true)
    {
        var windows = new ValidationWindows(_corpus.Validation, _preset.Recipe.Sequence, _corpus.Tokenizer);
        var rows = MetricsLog.Read(_folder.Metrics);
        var summary = Summary(rows) with
        {
            Evaluation = Evaluator.Evaluate(_loop.Model, windows, _device with { Dtype = torch.ScalarType.Float32 }),
            Baselines = baselines ? Evaluator.Baselines(_corpus, windows) : null,
            Sample = TextSample.Generate(_loop.Model, _corpus.Tokenizer, SamplePrompt, tokens: 80, temperature: 0.5, seed: 1, _device),
        };
        HtmlReport.Write(report, summary, rows);
        HtmlReport.Write(Path.Combine(_folder.Path, "report.html"), summary, rows);
        summary.Save(_folder.Summary);
        return summary;
    }

    public void Dispose()
    {
        _loop.Dispose();
        _loop.Model.Dispose();
    }

    private long TokensSeen => (long)_loop.Step * _preset.Recipe.TokensPerStep;

    private int EvalInterval => _preset.Recipe.EvalInterval > 0 ? _preset.Recipe.EvalInterval : Math.Max(1, _loop.Steps / 10);

    // Forward and backward are three times the forward products.
    private double FlopsFraction(double tokensPerSecond) => 3 * _size.FlopsPerToken * tokensPerSecond / _peak;

    private MetricsRow Row(StepResult result) => new()
    {
        Step = result.Step,
        Tokens = TokensSeen,
        Loss = result.Loss,
        LearningRate = result.LearningRate,
        GradNorm = result.GradNorm,
        TokensPerSecond = Math.Round(_speed.TokensPerSecond, 1),
        Layers = [.. result.Loads.Select(l => l.Layer)],
        MaxLoad = [.. result.Loads.Select(l => Math.Round(l.MaxOverMean, 4))],
        LoadEntropy = [.. result.Loads.Select(l => Math.Round(l.Entropy, 5))],
        DeadExperts = [.. result.Loads.Select(l => l.Dead)],
    };

    private TrainingProgress Progress(StepResult result) => new(
        result, _loop.Steps, _speed.TokensPerSecond, FlopsFraction(_speed.TokensPerSecond),
        _loop.Steps == 0 ? null : TimeSpan.FromSeconds((_loop.Steps - result.Step) * _speed.SecondsPerStep),
        double.IsFinite(_validation.Latest) ? _validation.Latest : null);

    // The speed is that of the logged steps, of which this process need not have taken any.
    private TrainingSummary Summary(IReadOnlyList<MetricsRow> rows)
    {
        double[] speeds = [.. rows.Select(r => r.TokensPerSecond).OfType<double>().Order()];
        double median = speeds.Length == 0 ? 0 : speeds[speeds.Length / 2];
        return new()
        {
            Preset = _preset.Name,
            Description = _preset.Description,
            Model = _size,
            Corpus = new(_corpus.Description, _corpus.Fingerprint, _corpus.Train.Count, _corpus.TrainBytes, _corpus.Validation.Count, _corpus.ValidationBytes),
            Recipe = _preset.Recipe,
            Steps = _loop.Step,
            TokensSeen = TokensSeen,
            Epochs = _sampler.Epoch((long)_loop.Step * _preset.Recipe.Accumulation),
            Device = _device.Description,
            TokensPerSecond = Math.Round(median),
            FlopsFraction = Math.Round(FlopsFraction(median), 4),
        };
    }
}
