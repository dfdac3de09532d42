using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Repeats a timing, untimed, with the routers' choices as outputs, and counts the experts.</summary>
internal static class ExpertCounter
{
    public static ExpertCount Count(Engine engine, PackageModel model, int threads, Case point, ulong seed)
    {
        var changed = ExpertOutputs.Of(model.Proto);
        if (changed.Routers.Count == 0)
        {
            return new(0, 0);
        }
        using var session = engine.Load(changed, model, threads);
        using var workload = Workload.Create(engine, session, model, point, grow: false);
        int tokens = point.Batch * point.Sequence;
        var chosen = changed.Routers.Select(router => new NativeBuffer<int>(tokens * router.TopK)).ToArray();
        var all = chosen.Select(_ => new HashSet<int>()).ToArray();
        long perRun = 0;
        try
        {
            for (int i = 0; i < chosen.Length; i++)
            {
                var (name, topK) = changed.Routers[i];
                using var tensor = chosen[i].Tensor(TensorElementType.Int32, tokens, topK);
                workload.Binding.BindOutput(name, tensor);
            }
            workload.Run(seed, () =>
            {
                for (int i = 0; i < chosen.Length; i++)
                {
                    var now = chosen[i].Span.ToArray().Where(expert => expert >= 0).ToHashSet();
                    perRun += now.Count;
                    all[i].UnionWith(now);
                }
            });
        }
        finally
        {
            foreach (var buffer in chosen)
            {
                buffer.Dispose();
            }
        }
        return new(all.Sum(set => set.Count), (double)perRun / point.Steps);
    }
}
