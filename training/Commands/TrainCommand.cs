using System.CommandLine;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Reports;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>train</c>: from text to a checkpoint folder. Run again, it goes on where it stopped, or finds that there is nothing to do.</summary>
internal static class TrainCommand
{
    private const int Interrupted = 130;

    public static Command Create(IAnsiConsole console)
    {
        var preset = CommonOptions.Preset();
        var twin = CommonOptions.Twin();
        var data = CommonOptions.Data();
        var cache = CommonOptions.Cache();
        var device = CommonOptions.Device();
        var output = new Option<string?>("--output") { Description = "Checkpoint folder; default artifacts/checkpoints/<preset>" };
        var report = new Option<string?>("--report") { Description = "HTML report; default artifacts/reports/<preset>/training.html" };
        var steps = new Option<int?>("--steps") { Description = "Optimizer steps, instead of the preset's" };
        var minutes = new Option<double?>("--minutes") { Description = "Train about this long: the first steps are timed, then the number of steps is fixed" };
        var batch = new Option<int?>("--batch") { Description = "Windows of a micro-batch" };
        var rate = new Option<double?>("--learning-rate") { Description = "Peak learning rate" };
        var dropout = new Option<double?>("--dropout") { Description = "Dropout on the residual contributions; worth it when text is seen many times" };
        var seed = new Option<long?>("--seed") { Description = "Seed of the weights, the data order and dropout" };
        var dtype = new Option<string?>("--dtype") { Description = "auto, float32 or bf16: dtype of the products" };
        var command = new Command("train", "Train a model")
        {
            preset, twin, data, output, report, steps, minutes, batch, rate, dropout, seed, device, dtype, cache,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(steps) is not null && parsed.GetValue(minutes) is not null)
            {
                throw new CheckpointException("--steps and --minutes both give the length of the run; give only one of them.");
            }
            var chosen = Preset.Load(parsed.GetValue(preset)!, parsed.GetValue(twin));
            var recipe = chosen.Recipe;
            recipe = recipe with
            {
                Steps = parsed.GetValue(steps) ?? recipe.Steps,
                Minutes = parsed.GetValue(steps) is null ? parsed.GetValue(minutes) ?? recipe.Minutes : null,
                Batch = parsed.GetValue(batch) ?? recipe.Batch,
                LearningRate = parsed.GetValue(rate) ?? recipe.LearningRate,
                Dropout = parsed.GetValue(dropout) ?? recipe.Dropout,
                Seed = parsed.GetValue(seed) ?? recipe.Seed,
                Dtype = parsed.GetValue(dtype) ?? recipe.Dtype,
            };
            chosen = chosen with { Recipe = recipe.Validated("the command line", chosen.Model.MaxPositionEmbeddings) };
            return Run(console, chosen, new Places(
                parsed.GetValue(data),
                parsed.GetValue(output) ?? Path.Combine("artifacts", "checkpoints", chosen.Name),
                parsed.GetValue(report) ?? Path.Combine("artifacts", "reports", chosen.Name, "training.html"),
                parsed.GetValue(cache)!), parsed.GetValue(device)!, Repeating);

            // Minutes make other steps elsewhere: the steps taken stand for them.
            string Repeating(int taken) => RunArguments.Text(parsed, [preset, twin, data, batch, rate, dropout, seed, device, dtype], taken);
        });
        return command;
    }

    /// <summary>Where a run reads and writes.</summary>
    internal sealed record Places(string? Data, string Output, string Report, string Cache);

    private static int Run(IAnsiConsole console, Preset preset, Places places, string device, Func<int, string> repeating)
    {
        using var signal = new StopSignal();
        var compute = ComputeDevice.Choose(device, preset.Recipe.Dtype);
        var options = new CorpusOptions { DataPath = places.Data, VocabularySize = preset.Model.VocabSize, ModelMaxLength = preset.Model.MaxPositionEmbeddings };
        using var corpus = PreparedCorpus.Prepare(options, places.Cache, new PlainProgress(console), signal.Token);
        preset = TrainingRun.ForCorpus(preset, corpus);
        HtmlReport.RequireWritable(places.Report);
        using var folder = RunFolder.Open(places.Output, TrainingRun.Identity(preset, corpus));
        if (folder.SetAside is not null)
        {
            console.WriteLine($"{folder.Path} held a run of another recipe or other text; it is now {folder.SetAside}, and training starts afresh.");
        }
        if (folder.Status == RunStatus.Finished)
        {
            console.WriteLine($"{folder.Path} is up to date: this run is already finished.");
            return 0;
        }
        console.WriteLine(corpus.Description);
        InspectCommand.Print(console, preset);
        using var run = new TrainingRun(preset, corpus, folder, compute, console.WriteLine);
        console.WriteLine($"training on {run.Device.Description}{(run.Step > 0 ? $", going on from step {run.Step}" : "")}");
        bool finished = TrainingDisplay.Run(console, progress => run.Train(progress, signal.Token));
        run.Publish();
        if (!finished)
        {
            console.WriteLine($"Stopped and saved at step {run.Step}. Run the same command again to go on from there.");
            return Interrupted;
        }
        console.WriteLine("evaluating on all held-out text, and the n-gram models on the same tokens");
        var summary = run.Finish(places.Report);
        summary = summary with { Arguments = repeating(summary.Steps) };
        summary.Save(folder.Summary);
        FigureTable.Print(console, summary.Figures());
        console.WriteLine($"\nSample: {summary.Sample}\n");
        console.WriteLine($"checkpoint {folder.Path}, report {places.Report}");
        return 0;
    }
}
