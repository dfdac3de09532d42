using LatentMoE.Benchmarks.Engines;
using LatentMoE.Benchmarks.Limits;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Benchmarks.Reports;

namespace LatentMoE.Benchmarks;

/// <summary>All packages, all cases; the results are written after each case, so that a run that is stopped leaves what it had.</summary>
internal sealed class Bench(BenchOptions options, Action<string> log)
{
    private readonly List<Row> rows = [];
    private readonly List<string> notes = [];
    private readonly List<MachineLimits> limits = [];
    private readonly Machine machine = Machine.This();

    public Results Run()
    {
        var engines = Engines();
        var peer = options.Peer is null ? [] : Results.ReadPeer(options.Peer);
        using ILimitMeter meter = options.Device == Engine.Cuda ? new GpuLimits(options.Limits) : new LimitMeter(options.Threads);
        foreach (var (precision, model) in Models())
        {
            var runner = new CaseRunner(options, meter, model, precision, notes);
            var loads = runner.Load(engines);
            foreach (var point in Case.Expand(options))
            {
                var (now, measured) = runner.Run(point, engines, loads);
                limits.AddRange(now is null ? [] : [now]);
                rows.AddRange(measured);
                rows.AddRange(peer.Where(p => measured.Any(p.IsComparable) && !rows.Contains(p)));
                Report.Write(SoFar(), options);
                log($"{precision,-5} {point}: " + string.Join("  ", measured.Select(r => $"{r.Engine} {r.TokensPerSecond:0}")));
            }
        }
        return SoFar();
    }

    // AMX off beside AMX on, where the machine has it.
    private List<Engine> Engines()
    {
        var names = options.Engines.ToList();
        bool withAmx = options.Device == Engine.Cpu && machine.HasAmx && !names.Contains(Engine.WithoutAmx);
        if (withAmx && names.IndexOf(Engine.LatentMoE) is >= 0 and var at)
        {
            names.Insert(at + 1, Engine.WithoutAmx);
        }
        return [.. names.Select(name => Engine.Of(name, options.Library, options.Device))];
    }

    private IEnumerable<(string Precision, PackageModel Model)> Models()
    {
        if (options.Model is { } folder)
        {
            yield return (RandomPackages.Precision(folder), PackageModel.Load(folder));
            yield break;
        }
        var packages = new RandomPackages(options);
        foreach (var (activations, precision) in options.Activations.SelectMany(_ => options.Precisions, (a, p) => (a, p)))
        {
            if (activations != "f32" && precision != activations && precision is not ("int8" or "int4"))
            {
                notes.Add($"{options.ModelName}: weights of {precision} do not go with activations of {activations}");
                continue;
            }
            foreach (string cache in activations == "f32" ? options.Caches : [activations])
            {
                if (cache != activations && options.Twin?.StartsWith("mha", StringComparison.Ordinal) == true)
                {
                    notes.Add($"{options.ModelName}, {precision}: no float16 cache, as GroupQueryAttention keeps it in the type of the "
                        + "activations");
                    continue;
                }
                yield return (precision, PackageModel.Load(packages.Get(precision, activations, cache)));
            }
        }
    }

    private Results SoFar() =>
        new(DateTime.UtcNow, machine, MachineLimits.Median(limits), [.. rows], [.. notes]);
}
