using LatentMoE.Benchmarks.Models;
using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>The cache in one buffer that is past and present, as long as the case needs and no longer; everything is bound once.</summary>
internal sealed class SharedWorkload : Workload
{
    private const int Granularity = 128;
    private readonly int slots;

    public SharedWorkload(InferenceSession session, PackageModel model, Case point, TensorHome home) : base(session, model, point, home)
    {
        int tokens = point.Start + point.Sequence * point.Steps;
        slots = (tokens + Granularity - 1) / Granularity * Granularity;
        // The slot of a token is its position, so the mask covers just the tokens of the run.
        Binding.BindInput("attention_mask", Fixed(Ones(point.Sequence), point.Batch, point.Sequence));
        ulong seed = 0;
        foreach (var (past, present) in model.CacheNames)
        {
            var half = CacheHalf(slots, seed++);
            Binding.BindInput(past, half);
            Binding.BindOutput(present, half);
        }
    }

    public override string CacheMode => $"shared {slots}";
}
