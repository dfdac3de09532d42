using System.Globalization;
using LatentMoE.Training.Reports;

namespace LatentMoE.Training.Study;

/// <summary>Decode speed and cache memory in the exported runtime, over batch and context.</summary>
internal sealed class SpeedSections(SpeedGrid speed)
{
    private const double MiB = 1024 * 1024;

    public IEnumerable<ReportSection> All()
    {
        foreach (var set in speed.Rows.GroupBy(r => r.Set))
        {
            var points = set.Select(r => (r.Batch, r.Context)).Distinct().OrderBy(p => p.Context).ThenBy(p => p.Batch).ToList();
            var dense = set.Where(r => r.Model == StudyPlan.MhaDense).ToDictionary(r => (r.Batch, r.Context));
            string[] headers = ["model", .. points.Select(p => $"{p.Context} x {p.Batch}")];
            var speeds = new List<IReadOnlyList<string>>();
            var caches = new List<IReadOnlyList<string>>();
            foreach (var model in set.GroupBy(r => r.Model))
            {
                var at = model.ToDictionary(r => (r.Batch, r.Context));
                speeds.Add([model.Key, .. points.Select(p => !at.TryGetValue(p, out var r) ? "" : I($"{r.TokensPerSecond:N0}") + (dense.TryGetValue(p, out var d) && d != r ? I($" ({r.TokensPerSecond / d.TokensPerSecond:0.00}x)") : ""))]);
                caches.Add([model.Key, .. points.Select(p => !at.TryGetValue(p, out var r) ? "" : I($"{r.CacheBytes / MiB:0.00} of {r.MemoryBytes / MiB:0}"))]);
            }
            var first = set.First();
            int batch = points.Max(p => p.Batch);
            yield return new(set.Key == SpeedPlan.Trained ? "Decode speed of the trained models" : $"Decode speed at the size {set.Key}, random weights",
                [I($"Tokens/s of all rows together by context x batch, over the vanilla transformer's in brackets; median of {first.Runs} timings of {first.Steps} steps, models in turns; {speed.Precision}, {speed.Threads} threads, {speed.Machine}. Multi-head attention is ONNX Runtime's GroupQueryAttention with a shared buffer, all else the same kernels. Paper-reported: {Claims.Speedup}x.")],
                [new(headers, speeds)],
                [new($"Decode, {batch} rows (tokens/s)", "context", [.. set.GroupBy(r => r.Model).Select((m, i) => new Curve(m.Key, $"hsl({i * 360 / set.Select(r => r.Model).Distinct().Count()} 65% 45%)", [.. m.Where(r => r.Batch == batch).OrderBy(r => r.Context).Select(r => ((double)r.Context, r.TokensPerSecond))]))])]);
            yield return new(set.Key == SpeedPlan.Trained ? "Cache memory of the trained models" : $"Cache memory at the size {set.Key}",
                ["MiB that the cache holds at the end of the steps, of the session's resident growth in all (weights, cache and activations)."], [new(headers, caches)], []);
        }
    }

    private static string I(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
