using System.Text.Json.Nodes;
using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Commands;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Tests.Trainer;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Tests.Commands;

[Collection(TorchCollection.Name)]
public class BenchCommandTests
{
    [Theory]
    [InlineData("tiny")]
    [InlineData("xs")]
    [InlineData("s")]
    public void DenseOfEqualProducts_HasAsManyActiveProducts(string preset)
    {
        var model = Preset.Load(preset).Model;
        long mixture = ModelSize.Of(model).FlopsPerToken, dense = ModelSize.Of(BenchCommand.DenseOfEqualProducts(model)).FlopsPerToken;
        Assert.InRange((double)dense / mixture, 0.999, 1.001);
    }

    [Fact]
    public void Bench_MeasuresEveryModelInEveryDtype()
    {
        using var small = new SmallRun();
        string output = Path.Combine(small.Root, "bench", "training.json");
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 10_000;
        var root = new RootCommand { BenchCommand.Create(console) };
        int code = root.Parse(["bench", "--preset", small.PresetFile(), "--batch=2", "--sequence=16", "--runs=5", "--device=cpu", "--output", output])
            .Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        Assert.Equal(0, code);
        var rows = JsonNode.Parse(File.ReadAllText(output))!["rows"]!.AsArray();
        Assert.Equal(["as it is, float32", "as it is, bf16", "dense, float32", "dense, bf16"], rows.Select(r => $"{r!["model"]}, {r["dtype"]}"));
        Assert.All(rows, r =>
        {
            double tokens = r!["tokens_per_second"]!.GetValue<double>(), step = r["step_milliseconds"]!.GetValue<double>();
            Assert.Equal(2 * 16 * 1000, tokens * step, 1e-6 * tokens * step);
            Assert.True(r["forward"]!.GetValue<double>() > 0 && r["backward"]!.GetValue<double>() > 0, r.ToJsonString());
        });
        Assert.Equal(1.0, rows[2]!["time_against_dense"]!.GetValue<double>());
        Assert.Contains("dense, bf16: ", text.ToString());
    }

    [Fact]
    public void Bench_RefusesTooFewRounds()
    {
        var root = new RootCommand { BenchCommand.Create(AnsiConsole.Console) };
        var error = Assert.Throws<CheckpointException>(() => root.Parse(["bench", "--runs=3"]).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false }));
        Assert.Contains("--runs is 3; expected at least 5", error.Message);
    }
}
