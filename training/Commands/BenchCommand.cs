using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>bench</c>: steps of a preset beside those of a dense model of as many active products, in float32 and in bf16, in turn.</summary>
internal static class BenchCommand
{
    // Also until the products that libtorch prepares for each shape are there.
    private const int Untimed = 20;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>A row of the result: medians over the rounds, but for the range of the tokens.</summary>
    internal sealed record Row(string Model, string Dtype, double TokensPerSecond, double Slowest, double Fastest, double ShareOfPeak,
        double StepMilliseconds, double Forward, double Backward, double Rest, double Data, long? PeakBytesOfAStep, double TimeAgainstDense);

    public static Command Create(IAnsiConsole console)
    {
        var preset = CommonOptions.Preset();
        var device = CommonOptions.Device();
        var batch = new Option<int>("--batch") { Description = "Windows of a step", DefaultValueFactory = _ => 4 };
        var sequence = new Option<int>("--sequence") { Description = "Tokens of a window", DefaultValueFactory = _ => 256 };
        var runs = new Option<int>("--runs") { Description = "Rounds, of which the median counts; at least 5", DefaultValueFactory = _ => 7 };
        var checkpointing = new Option<bool>("--gradient-checkpointing") { Description = "Compute the layers again in the backward pass" };
        var output = new Option<string>("--output") { Description = "JSON of the results", DefaultValueFactory = _ => Path.Combine("artifacts", "benchmarks", "training.json") };
        var keep = new Option<string?>("--keep") { Description = "Name of the machine: keeps a copy in tests/benchmarks/results" };
        var command = new Command("bench", "Time training steps beside a dense model of as many active products") { preset, batch, sequence, runs, checkpointing, device, output, keep };
        command.SetAction(parsed =>
        {
            var chosen = Preset.Load(parsed.GetValue(preset)!);
            int rounds = parsed.GetValue(runs);
            if (rounds < 5)
            {
                throw new CheckpointException($"--runs is {rounds}; expected at least 5.");
            }
            var recipe = (new TrainingRecipe
            {
                Batch = parsed.GetValue(batch),
                Sequence = parsed.GetValue(sequence),
                LearningRate = 1e-3,
                GradientCheckpointing = parsed.GetValue(checkpointing),
            }).Validated("the command line", chosen.Model.MaxPositionEmbeddings);
            var (description, rows) = Measure(chosen.Model, recipe, rounds, parsed.GetValue(device)!);
            Print(console, rows);
            var result = new { preset = chosen.Name, device = description, recipe.Batch, recipe.Sequence, recipe.GradientCheckpointing, rounds, rows };
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(result, Options);
            string[] places = [parsed.GetValue(output)!, .. parsed.GetValue(keep) is string name
                ? [Path.Combine("tests", "benchmarks", "results", $"{name}-training-{chosen.Name}.json")] : Array.Empty<string>()];
            foreach (string place in places)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(place))!);
                AtomicFile.Write(place, json);
                console.WriteLine($"written to {place}");
            }
            return 0;
        });
        return command;
    }

    /// <summary>A dense model with as many products a token as a mixture's chosen experts, shared experts and router make.</summary>
    internal static ModelConfig DenseOfEqualProducts(ModelConfig c) => (c with
    {
        IntermediateSize = c.MoeIntermediateSize * (c.NumExpertsPerTok + c.NSharedExperts) + (int)Math.Round(c.NRoutedExperts / 3.0), // three matrices to the router's one
        FirstKDenseReplace = c.NumHiddenLayers,
        NRoutedExperts = 0,
        NSharedExperts = 0,
        NumExpertsPerTok = 0,
        MoeIntermediateSize = 0,
    }).Validated("the dense model");

    internal static (string Device, IReadOnlyList<Row> Rows) Measure(ModelConfig model, TrainingRecipe recipe, int rounds, string device)
    {
        (string Name, ModelConfig Model)[] models = model.IsMoE ? [("as it is", model), ("dense", DenseOfEqualProducts(model))] : [("as it is", model)];
        var variants = (from m in models from dtype in (string[])["float32", "bf16"] select (m.Name, m.Model, Dtype: dtype, Device: ComputeDevice.Choose(device, dtype))).ToList();
        var benches = variants.Select(v => new StepBenchmark(v.Model, recipe, v.Device)).ToList();
        try
        {
            var times = benches.Select(_ => new List<StepTimes>()).ToList();
            for (int round = -Untimed; round < rounds; round++)
            {
                for (int i = 0; i < benches.Count; i++)
                {
                    var time = benches[i].Measure();
                    if (round >= 0)
                    {
                        times[i].Add(time);
                    }
                }
            }
            double Median(int i, Func<StepTimes, double> of) => times[i].Select(of).Order().ElementAt(rounds / 2);
            double peak = variants.Max(v => v.Device.MeasurePeak());
            var rows = variants.Select((v, i) =>
            {
                double step = Median(i, t => t.Step), tokens = recipe.TokensPerStep * 1000.0 / step;
                int dense = variants.FindIndex(o => o.Name == "dense" && o.Dtype == v.Dtype);
                return new Row(v.Name, v.Dtype, tokens, recipe.TokensPerStep * 1000.0 / times[i].Max(t => t.Step), recipe.TokensPerStep * 1000.0 / times[i].Min(t => t.Step),
                    3 * ModelSize.Of(v.Model).FlopsPerToken * tokens / peak, step, Median(i, t => t.Forward), Median(i, t => t.Backward), Median(i, t => t.Rest),
                    Median(i, t => t.Data), benches[i].PeakOfAStep(), dense < 0 ? 1 : step / Median(dense, t => t.Step));
            }).ToList();
            return (variants[0].Device.Description.Replace(", float32 products", "", StringComparison.Ordinal), rows);
        }
        finally
        {
            benches.ForEach(b => b.Dispose());
        }
    }

    private static void Print(IAnsiConsole console, IEnumerable<Row> rows)
    {
        foreach (var r in rows)
        {
            string memory = r.PeakBytesOfAStep is long bytes ? Invariant($", {bytes / 1e6:N0} MB at the step's peak") : "";
            console.WriteLine(Invariant($"{r.Model}, {r.Dtype}: {r.TokensPerSecond:N0} tokens/s ({r.Slowest:N0} to {r.Fastest:N0}), {r.ShareOfPeak * 100:0}% of the peak, {r.TimeAgainstDense:0.00}x the dense model's time; step {r.StepMilliseconds:0.0} ms: forward {r.Forward:0.0}, backward {r.Backward:0.0}, the rest {r.Rest:0.0}, batch {r.Data:0.00}{memory}"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
