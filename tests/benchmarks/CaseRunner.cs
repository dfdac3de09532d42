using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Limits;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Benchmarks.Reports;

namespace LatentMoE.Benchmarks;

/// <summary>
/// Measures all engines at one case of one package: each in a process of its own, one timing of each in turn, so that a machine that
/// drifts drifts for all of them.
/// </summary>
internal sealed class CaseRunner(BenchOptions options, ILimitMeter meter, PackageModel model, string precision, List<string> notes)
{
    private const int PilotSteps = 8, PilotRuns = 2;

    // After this time no thread of the engine before spins for work any more.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ModelCost cost = new(model);

    /// <summary>Milliseconds that each engine takes to load the package, its files in memory; engines that cannot are left out.</summary>
    public IReadOnlyDictionary<string, double> Load(IEnumerable<Engine> engines)
    {
        var workers = engines.Select(Start).OfType<WorkerProcess>().ToList();
        try
        {
            var times = workers.ToDictionary(worker => worker.Engine.Name, _ => new List<double>());
            for (int run = 0; run < options.Runs; run++)
            {
                workers.ForEach(worker => times[worker.Engine.Name].Add(1000 * worker.Load()));
            }
            return times.ToDictionary(t => t.Key, t => Statistics.Median(t.Value));
        }
        finally
        {
            workers.ForEach(worker => worker.Dispose());
        }
    }

    /// <param name="loads">From <see cref="Load"/>.</param>
    public (MachineLimits? Limits, IReadOnlyList<Row> Rows) Run(
        Case point, IReadOnlyList<Engine> engines, IReadOnlyDictionary<string, double> loads)
    {
        var runners = engines.Where(engine => loads.ContainsKey(engine.Name) && engine.Runs(point)).Select(Start).OfType<WorkerProcess>()
            .Select(worker => new Timed(worker)).ToList();
        try
        {
            Each(runners, timed => Prepare(timed, point));
            var limits = meter.Measure(model.Activations);
            for (int run = 1; run <= options.Runs; run++)
            {
                Each(runners, timed =>
                {
                    Thread.Sleep(Pause);
                    timed.Speeds.Add(timed.Point!.Tokens / timed.Worker.Run((ulong)run));
                });
            }
            Each(runners, timed => timed.MemoryBytes = timed.Worker.Memory());
            ExpertCount? experts = null;
            int counted = 0;
            Each(runners, timed =>
                (experts, counted) = experts is null ? (timed.Worker.Experts(1), timed.Point!.Steps) : (experts, counted));
            Each(runners, timed => timed.Profile = timed.Worker.Profile());
            return (limits,
            [
                .. runners.Select(timed => Row(timed, limits, experts!, loads[timed.Worker.Engine.Name])
                    with { DistinctExperts = timed.Point!.Steps == counted ? experts!.Distinct : null }),
            ]);
        }
        finally
        {
            runners.ForEach(timed => timed.Worker.Dispose());
        }

        // An engine that fails is left out from there on.
        void Each(List<Timed> all, Action<Timed> action) => all.RemoveAll(timed =>
        {
            try
            {
                action(timed);
                return false;
            }
            catch (WorkerException e)
            {
                Note(timed.Worker.Engine, $"{point}: {e.Message}");
                timed.Worker.Dispose();
                return true;
            }
        });
    }

    private WorkerProcess? Start(Engine engine)
    {
        try
        {
            return new WorkerProcess(engine, model, options.Threads);
        }
        catch (WorkerException e)
        {
            Note(engine, e.Message);
            return null;
        }
    }

    private void Note(Engine engine, string message)
    {
        string note = $"{options.ModelName}, {precision}, cache {model.Cache}: {engine.Name} cannot run: {message}";
        if (!notes.Contains(note))
        {
            notes.Add(note);
        }
    }

    // Warms the engine up. The standard operators show which cache suits them, and how many steps there is time for.
    private void Prepare(Timed timed, Case point)
    {
        var pilot = point with { Steps = Math.Min(point.Steps, PilotSteps) };
        double shared = Pilot(grow: false), growing = timed.Worker.Engine.MayGrow ? Pilot(grow: true) : double.PositiveInfinity;
        double steps = options.Seconds * pilot.Steps / Math.Min(shared, growing);
        timed.Point = timed.Worker.Engine.MayGrow && steps < point.Steps ? point with { Steps = Math.Max((int)steps, 1) } : point;
        timed.CacheMode = timed.Worker.Prepare(timed.Point, growing < shared);

        double Pilot(bool grow)
        {
            timed.Worker.Prepare(pilot, grow);
            return Enumerable.Range(0, PilotRuns).Min(_ => timed.Worker.Run(0));
        }
    }

    private Row Row(Timed timed, MachineLimits? limits, ExpertCount experts, double load)
    {
        var point = timed.Point!;
        double speed = Statistics.Median(timed.Speeds), bytes = cost.BytesPerToken(point, experts.PerRun);
        return new()
        {
            Preset = options.ModelName,
            Precision = precision,
            Cache = model.Cache,
            Activations = model.Activations,
            Engine = timed.Worker.Engine.Name,
            Device = timed.Worker.Engine.Device,
            Phase = point.Phase,
            Context = point.Context,
            Batch = point.Batch,
            Threads = options.Threads,
            CacheMode = timed.CacheMode,
            TokensPerSecond = speed,
            Minimum = timed.Speeds.Min(),
            Maximum = timed.Speeds.Max(),
            Microseconds = 1e6 * point.Batch * point.Sequence / speed,
            Runs = timed.Speeds.Count,
            Steps = point.Steps,
            ExpertsPerRun = experts.PerRun,
            RoutedExperts = cost.Experts,
            BytesPerToken = bytes,
            BandwidthShare = speed * bytes / limits?.BytesPerSecond(cost.WorkingSet(point, experts.Distinct)),
            ArithmeticShare = speed * cost.FlopsPerToken(point) / limits?.FlopsPerSecond,
            Nodes = timed.Profile!.Nodes,
            OperatorMicroseconds = timed.Profile.Microseconds,
            MemoryBytes = timed.MemoryBytes,
            PackageBytes = model.WeightBytes,
            CacheBytes = point.Batch * (point.Start + (long)point.Sequence * point.Steps) * model.CacheBytesPerToken,
            LoadMilliseconds = load,
        };
    }

    private sealed class Timed(WorkerProcess worker)
    {
        public WorkerProcess Worker { get; } = worker;
        public List<double> Speeds { get; } = [];
        public Case? Point { get; set; }
        public string? CacheMode { get; set; }
        public long MemoryBytes { get; set; }
        public OperatorProfile? Profile { get; set; }
    }
}
