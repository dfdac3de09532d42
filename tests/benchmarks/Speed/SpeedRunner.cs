using System.Diagnostics;
using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Speed;

/// <summary>
/// Measures decode of several models at each point of a grid: each model in a process of its own, one timing of each in turn, so that a
/// machine that drifts drifts for all of them.
/// </summary>
internal sealed class SpeedRunner(SpeedPlan plan, Engine engine, string packages, int threads, int runs, int steps, Action<string> log)
{
    // After this time no thread of the model before spins for work any more.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <param name="known">Rows of an earlier run, which are not measured again where the set is complete.</param>
    /// <param name="save">Called with all rows after each set.</param>
    public void Run(IReadOnlyList<SpeedRow> known, Action<IReadOnlyList<SpeedRow>> save)
    {
        var rows = new List<SpeedRow>();
        foreach (var set in plan.Sets)
        {
            var before = known.Where(r => r.Set == set.Name).ToList();
            rows.AddRange(IsComplete(set, before) ? before : Measure(set));
            save(rows);
        }
    }

    private bool IsComplete(SpeedSet set, List<SpeedRow> found) =>
        (from model in set.Models from context in plan.Contexts from batch in plan.Batches select (model.Name, context, batch))
            .All(point => found.Any(r => (r.Model, r.Context, r.Batch, r.Runs, r.Steps) == (point.Name, point.context, point.batch, runs, steps)));

    private List<SpeedRow> Measure(SpeedSet set)
    {
        var rows = new List<SpeedRow>();
        var models = set.Models.Select(model => (model.Name, Package: PackageModel.Load(Export(set, model)))).ToList();
        foreach (var (context, batch) in plan.Contexts.SelectMany(_ => plan.Batches, (context, batch) => (context, batch)))
        {
            var point = new Case(Case.Decode, context, batch, steps);
            var workers = new List<(string Name, PackageModel Package, WorkerProcess Worker, List<double> Speeds)>();
            try
            {
                foreach (var (name, package) in models)
                {
                    workers.Add((name, package, new WorkerProcess(engine, package, threads), []));
                    workers[^1].Worker.Prepare(point, grow: false);
                    workers[^1].Worker.Run(0);
                }
                for (int run = 1; run <= runs; run++)
                {
                    foreach (var (_, _, worker, speeds) in workers)
                    {
                        Thread.Sleep(Pause);
                        speeds.Add(point.Tokens / worker.Run((ulong)run));
                    }
                }
                rows.AddRange(workers.Select(w => new SpeedRow(set.Name, w.Name, batch, context, Statistics.Median(w.Speeds), w.Speeds.Min(), w.Speeds.Max(), runs, steps,
                    w.Package.WeightBytes, (long)batch * (context + steps) * w.Package.CacheBytesPerToken, w.Worker.Memory())));
            }
            finally
            {
                workers.ForEach(w => w.Worker.Dispose());
            }
            log($"{set.Name}, {point}: " + string.Join("  ", workers.Select(w => $"{w.Name} {Statistics.Median(w.Speeds):0}")));
        }
        return rows;
    }

    private string Export(SpeedSet set, SpeedModel model)
    {
        if (model.Preset is { } preset)
        {
            return new RandomPackages(new() { Preset = preset, Twin = model.Twin, Packages = packages }).Get(plan.Precision, "f32", "f32");
        }
        string folder = Path.Combine(packages, $"{set.Name}-{model.Name}-{plan.Precision}"), weights = Path.Combine(model.Checkpoint!, "model.safetensors"), manifest = Path.Combine(folder, "manifest.json");
        if (File.Exists(manifest) && File.Exists(weights) && File.GetLastWriteTimeUtc(weights) < File.GetLastWriteTimeUtc(manifest))
        {
            return folder;
        }
        Directory.CreateDirectory(packages);
        using var process = Process.Start(SiblingProgram.Start("LatentMoE.Export", "export", "--checkpoint", model.Checkpoint!, "--precision", plan.Precision, "--output", folder))!;
        process.StandardOutput.ReadToEnd(); // its list of files; errors go to the terminal
        process.WaitForExit();
        return process.ExitCode == 0 ? folder : throw new CheckpointException($"{model.Checkpoint}: could not be exported; what the exporter says stands above.");
    }
}
