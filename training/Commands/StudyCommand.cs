using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Study;
using LatentMoE.Training.Trainer;
using Spectre.Console;

namespace LatentMoE.Training.Commands;

/// <summary><c>study</c>: trains the twins and ablations that the paper's claims are about, and reports on them. Run again, it goes on where it stopped.</summary>
internal static class StudyCommand
{
    private const int Interrupted = 130;

    public static Command Create(IAnsiConsole console)
    {
        var scale = new Option<string>("--scale") { Description = $"{string.Join(" or ", StudyScale.Known)}, or a path to a JSON file", DefaultValueFactory = _ => "cpu" };
        var data = CommonOptions.Data();
        var output = new Option<string?>("--output") { Description = "Folder of the study; default artifacts/study, with the name of another scale than cpu behind it" };
        var steps = new Option<int?>("--steps") { Description = "Optimizer steps of every run, instead of the presets'" };
        var seeds = new Option<int?>("--seeds") { Description = "Seeds of every twin, instead of the scale's" };
        var dtype = new Option<string?>("--dtype") { Description = "auto, float32 or bf16: dtype of the products" };
        var device = CommonOptions.Device();
        var cache = CommonOptions.Cache();
        var jobs = new Option<int>("--jobs") { Description = "Runs at the same time, each with its share of the cores: small models gain by it", DefaultValueFactory = _ => 1 };
        var plan = new Option<bool>("--plan") { Description = "Print the runs and how long they will take, and stop" };
        var report = new Option<bool>("--report") { Description = "Train nothing: write rows.json, report.md and report.html from what there is" };
        var keep = new Option<string?>("--keep") { Description = "With --report: a folder that takes copies of the reports" };
        var command = new Command("study", "Compare the twins as the paper does, and report") { scale, data, output, steps, seeds, dtype, device, cache, jobs, plan, report, keep };
        command.SetAction(parsed =>
        {
            using var signal = new StopSignal();
            var chosen = StudyScale.Load(parsed.GetValue(scale)!);
            int count = parsed.GetValue(seeds) ?? chosen.Seeds;
            chosen = (chosen with { Seeds = count, AblationSeeds = Math.Min(count, chosen.AblationSeeds) }).Validated("the command line");
            var study = StudyPlan.Of(chosen, recipe => recipe with { Steps = parsed.GetValue(steps) ?? recipe.Steps, Dtype = parsed.GetValue(dtype) ?? recipe.Dtype });
            var folder = new StudyFolder(parsed.GetValue(output) ?? Path.Combine("artifacts", chosen.Name == "cpu" ? "study" : $"study-{chosen.Name}"));
            using var trainer = new StudyTrainer(study, folder, parsed.GetValue(data), parsed.GetValue(cache)!, parsed.GetValue(device)!, new PlainProgress(console), signal.Token);
            var reports = new StudyReports(study, folder, trainer, RunArguments.Text(parsed, [scale, data, steps, seeds, dtype, device, jobs]));
            if (!parsed.GetValue(report))
            {
                var left = study.Runs.Where(run => !trainer.IsFinished(run)).ToList();
                var times = StudyEstimate.Of([.. left.Select(trainer.PresetOf)], parsed.GetValue(device)!, signal.Token).Zip(left).ToDictionary(x => x.Second, x => x.First);
                Print(console, study, left, times);
                if (parsed.GetValue(plan))
                {
                    return 0;
                }
                if (parsed.GetValue(jobs) > 1)
                {
                    StudyJobs.Run(parsed.GetValue(jobs), parsed, console, signal.Token);
                    if (signal.Token.IsCancellationRequested)
                    {
                        return Interrupted; // the jobs have said what there is to say
                    }
                }
                if (!Train(console, study, trainer, times, reports, signal.Token))
                {
                    return Interrupted;
                }
            }
            reports.Write();
            SpeedPlan.Of(study, folder).Write(study, folder);
            if (parsed.GetValue(keep) is { } copies)
            {
                reports.CopyTo(copies);
            }
            console.WriteLine($"reports {folder.Markdown}, {folder.Html}; rows {folder.Rows}");
            return 0;
        });
        return command;
    }

    // Takes the runs that are neither finished nor taken by another process.
    private static bool Train(IAnsiConsole console, StudyPlan study, StudyTrainer trainer, IReadOnlyDictionary<StudyRun, TimeSpan> times, StudyReports reports, CancellationToken stop)
    {
        double spent = 0, planned = 0;
        foreach (var run in study.Runs)
        {
            if (trainer.IsFinished(run))
            {
                continue;
            }
            // What is left, by how long the runs so far took beside their estimates.
            var left = study.Runs.Where(r => !trainer.IsFinished(r)).ToList();
            var remaining = TimeSpan.FromSeconds(left.Sum(r => times[r].TotalSeconds) * (planned == 0 ? 1 : spent / planned));
            console.WriteLine($"run {study.Runs.Count - left.Count + 1} of {study.Runs.Count}: {run.Name}; about {Text(remaining)} left");
            long start = Stopwatch.GetTimestamp();
            try
            {
                if (!trainer.Train(run, train => TrainingDisplay.Run(console, train), stop))
                {
                    console.WriteLine("Stopped and saved. Run the same command again to go on from there.");
                    return false;
                }
            }
            catch (FolderBusyException)
            {
                console.WriteLine($"{run.Name} is being trained by another process");
                continue;
            }
            spent += Stopwatch.GetElapsedTime(start).TotalSeconds;
            planned += times[run].TotalSeconds;
            reports.Write();
        }
        return true;
    }

    private static void Print(IAnsiConsole console, StudyPlan study, IReadOnlyList<StudyRun> left, IReadOnlyDictionary<StudyRun, TimeSpan> times)
    {
        var table = new Table().Border(TableBorder.Minimal).AddColumns("run", "parameters", "active", "MFLOP a token", "tokens", "about");
        foreach (var run in left)
        {
            var size = ModelSize.Of(run.Preset.Model);
            long tokens = (long)run.Preset.Recipe.Steps * run.Preset.Recipe.TokensPerStep;
            table.AddRow(run.Name, Invariant($"{size.TotalParameters:N0}"), Invariant($"{size.ActiveParameters:N0}"), Invariant($"{size.FlopsPerToken / 1e6:0.00}"), Invariant($"{tokens:N0}"), Text(times[run]));
        }
        if (left.Count > 0)
        {
            console.Write(table);
        }
        console.WriteLine($"{study.Runs.Count - left.Count} of {study.Runs.Count} runs are finished; the others take about {Text(TimeSpan.FromSeconds(times.Values.Sum(t => t.TotalSeconds)))} on this machine one after the other, by a few timed steps of each.");
    }

    private static string Text(TimeSpan t) => t.TotalHours >= 48 ? Invariant($"{t.TotalDays:0.#} days") : Invariant($"{(int)t.TotalHours}:{t.Minutes:00}:{t.Seconds:00}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
