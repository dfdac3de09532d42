using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Commands;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Tests.Trainer;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Tests.Commands;

[Collection(TorchCollection.Name)]
public sealed class CommandTests : IDisposable
{
    private readonly SmallRun _small = new();

    public void Dispose() => _small.Dispose();

    internal static (int Code, string Output) Run(params string[] args)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 10_000;
        var root = new RootCommand { TrainCommand.Create(console), InspectCommand.Create(console), EvaluateCommand.Create(console), StudyCommand.Create(console) };
        int code = root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = output });
        return (code, output.ToString());
    }

    private string[] TrainArguments(params string[] more) =>
        ["train", "--preset", _small.PresetFile(), "--data", _small.Data, "--output", _small.Output, "--report", _small.Report, "--cache", _small.Cache, "--device=cpu", .. more];

    [Fact]
    public void Train_ThenUpToDateThenAsideForAnotherRecipe()
    {
        var (code, output) = Run(TrainArguments());
        Assert.Equal(0, code);
        Assert.Contains("Held-out loss: ", output);
        Assert.Contains("Sample: Once upon a time", output);
        byte[] weights = File.ReadAllBytes(Path.Combine(_small.Output, "model.safetensors"));

        (code, output) = Run(TrainArguments());
        Assert.Equal(0, code);
        Assert.Contains("up to date", output);

        (code, output) = Run(TrainArguments("--seed=7"));
        Assert.Equal(0, code);
        Assert.Contains($"it is now {_small.Output}.1", output);
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(_small.Output + ".1", "model.safetensors")));
        Assert.NotEqual(weights, File.ReadAllBytes(Path.Combine(_small.Output, "model.safetensors")));
    }

    [Fact]
    public void Evaluate_AgreesWithTheRunsOwnEvaluation()
    {
        Run(TrainArguments());
        var (code, output) = Run("evaluate", "--checkpoint", _small.Output, "--data", _small.Data, "--cache", _small.Cache, "--device=cpu");
        Assert.Equal(0, code);
        var summary = LatentMoE.Training.Reports.TrainingSummary.Load(Path.Combine(_small.Output, "training.json"));
        Assert.Contains(FormattableString.Invariant($"Loss: {summary.Evaluation!.Loss:0.0000} nats"), output);
        Assert.Contains(FormattableString.Invariant($"Bits a byte: {summary.Evaluation.BitsPerByte:0.0000}"), output);
        Assert.Contains(FormattableString.Invariant($"Bigram model: {summary.Baselines!.Bigram:0.0000} nats"), output);
    }

    [Fact]
    public void Train_OptionsChangeTheRecipe()
    {
        Run(TrainArguments("--steps=2", "--batch=3", "--learning-rate=0.002", "--dropout=0.25", "--seed=9", "--twin=mha-dense"));
        var summary = LatentMoE.Training.Reports.TrainingSummary.Load(Path.Combine(_small.Output, "training.json"));
        Assert.Equal((2, 3, 0.002, 0.25, 9L), (summary.Recipe.Steps, summary.Recipe.Batch, summary.Recipe.LearningRate, summary.Recipe.Dropout, summary.Recipe.Seed));
        Assert.Equal("mini-mha-dense", summary.Preset);
        Assert.Contains("--twin=mha-dense", summary.Arguments);
        Assert.Contains("--seed=9", summary.Arguments);
        Assert.EndsWith("--steps=2", summary.Arguments);
        Assert.Equal(ModelConfig.Llama, ModelConfig.Load(_small.Output).ModelType);
    }

    [Theory]
    [InlineData("train", "--stepz=3")]
    [InlineData("train", "--steps=many")]
    [InlineData("evaluate")]
    [InlineData("trian")]
    public void Invoke_UnknownArgumentsAreErrors(params string[] args) => Assert.NotEqual(0, Run(args).Code);

    [Fact]
    public void Invoke_BadValuesNameTheirKey()
    {
        Assert.Contains("training.batch is 0", Assert.Throws<CheckpointException>(() => Run(TrainArguments("--batch=0"))).Message);
        Assert.Contains("training.batch is 2000000; expected at most 1048576", Assert.Throws<CheckpointException>(() => Run(TrainArguments("--batch=2000000"))).Message);
        Assert.Contains("give only one", Assert.Throws<CheckpointException>(() => Run(TrainArguments("--steps=3", "--minutes=1"))).Message);
        Assert.Contains("preset \"huge\" is unknown", Assert.Throws<CheckpointException>(() => Run("train", "--preset=huge")).Message);
        Assert.Contains("config.json", Assert.Throws<CheckpointException>(() => Run("evaluate", "--checkpoint", _small.Root)).Message);
        Assert.False(Directory.Exists(_small.Output));
    }

    [Fact]
    public void Train_ReportThatCannotBeWrittenIsAnErrorBeforeTraining()
    {
        string report = Path.Combine(_small.Data, "report.html"); // below a file
        string[] arguments = ["train", "--preset", _small.PresetFile(), "--data", _small.Data, "--output", _small.Output, "--report", report, "--cache", _small.Cache, "--device=cpu"];
        var error = Assert.Throws<CheckpointException>(() => Run(arguments));
        Assert.StartsWith(report + ": ", error.Message);
        Assert.Contains("Give another --report", error.Message);
        Assert.False(Directory.Exists(_small.Output));
    }

    [Fact]
    public void Inspect_PrintsTheSizes()
    {
        var (code, output) = Run("inspect", "--preset=bench-m");
        Assert.Equal(0, code);
        Assert.Contains("Parameters: 119,", output);
        Assert.Contains("Cache a token: 2,560 numbers", output);
        Assert.Contains("Against mha-dense: ", output);
    }

    [Fact]
    public void Inspect_OfACheckpoint_PrintsWhatItsConfigSays()
    {
        string folder = Path.Combine(_small.Root, "field");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), LatentMoE.Tests.Support.Field.FieldConfigs.V3);
        var (code, output) = Run("inspect", "--checkpoint", folder);
        Assert.Equal(0, code);
        Assert.Contains("deepseek_v3", output);
        Assert.Contains("Feed-forward: 3 of 8 routed and 1 shared experts of 24", output);
        Assert.Contains("Positions: YaRN, 40 times 16", output);
        Assert.Contains("Weights: F8_E4M3 in blocks of 128 x 128", output);
        Assert.Contains("Left out: 1 layer predicting", output);
    }
}
