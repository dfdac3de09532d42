using System.Text.Json;
using LatentMoE.Benchmarks.Models;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Runs a few steps of a case under ONNX Runtime's profiler, in a session of their own.</summary>
internal static class Profiler
{
    private const int Steps = 4;
    private const string Session = "Session", Node = "Node", ModelRun = "model_run", Kernel = "_kernel_time";

    public static OperatorProfile Run(Engine engine, PackageModel model, int threads, Case point, bool grow)
    {
        string prefix = Path.Combine(Path.GetTempPath(), $"latentmoe-profile-{Environment.ProcessId}");
        string file;
        using (var session = engine.Load(model, threads, options =>
        {
            options.ProfileOutputPathPrefix = prefix;
            options.EnableProfiling = true;
        }))
        {
            using (var workload = Workload.Create(engine, session, model, point with { Steps = Math.Min(point.Steps, Steps) }, grow))
            {
                workload.Run(0);
                workload.Run(1);
            }
            file = session.EndProfiling();
        }
        try
        {
            using var events = JsonDocument.Parse(File.ReadAllBytes(file));
            return Parse(events.RootElement);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Nodes and times of a mean run, from a profile's events; the first half of the runs is left out as warm-up.</summary>
    internal static OperatorProfile Parse(JsonElement events)
    {
        var all = events.EnumerateArray().Where(e => e.TryGetProperty("dur", out _)).Select(Event.Of).ToList();
        var runs = all.Where(e => e.Category == Session && e.Name == ModelRun).OrderBy(e => e.Start).ToList();
        runs = runs[(runs.Count / 2)..];
        var kernels = all.Where(e => e.Category == Node && e.Name.EndsWith(Kernel, StringComparison.Ordinal) && e.Start >= runs[0].Start)
            .OrderBy(e => e.Start).ThenByDescending(e => e.End).ToList();
        var times = new Dictionary<string, double>();
        var open = new Stack<Event>(); // the control-flow nodes around the present one
        foreach (var kernel in kernels)
        {
            while (open.Count > 0 && open.Peek().End < kernel.End)
            {
                open.Pop();
            }
            if (open.Count > 0)
            {
                times[open.Peek().Operator] -= kernel.Duration;
            }
            times[kernel.Operator] = times.GetValueOrDefault(kernel.Operator) + kernel.Duration;
            if (kernel.Operator is "Loop" or "If" or "Scan")
            {
                open.Push(kernel);
            }
        }
        return new((double)kernels.Count / runs.Count, times.ToDictionary(t => t.Key, t => t.Value / runs.Count));
    }

    private sealed record Event(string Category, string Name, string Operator, long Start, long Duration)
    {
        public long End => Start + Duration;

        public static Event Of(JsonElement e) => new(e.GetProperty("cat").GetString()!, e.GetProperty("name").GetString()!,
            e.TryGetProperty("args", out var arguments) && arguments.TryGetProperty("op_name", out var op) ? op.GetString()! : "",
            e.GetProperty("ts").GetInt64(), e.GetProperty("dur").GetInt64());
    }
}
