using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Every run makes a new cache from the one before, longer by its tokens: the way of callers that share no buffer.</summary>
internal sealed class GrowingWorkload : Workload
{
    private readonly (string Past, string Present)[] names;
    private readonly OrtValue[] first;
    private readonly NativeBuffer<long> mask;
    private OrtValue[] past;

    public GrowingWorkload(InferenceSession session, PackageModel model, Case point) : base(session, model, point, new HostHome())
    {
        names = [.. model.CacheNames];
        first = [.. names.Select((_, i) => point.Start == 0 ? Empty() : CacheHalf(point.Start, (ulong)i))];
        past = first;
        mask = Ones(point.Start + point.Sequence * point.Steps);
    }

    public override string CacheMode => "grow";

    protected override void Begin() => past = first;

    protected override void Before(int step)
    {
        int seen = Point.Start + (step + 1) * Point.Sequence;
        using var tensor = mask.Tensor(TensorElementType.Int64, Point.Batch, seen);
        Binding.BindInput("attention_mask", tensor);
        for (int i = 0; i < names.Length; i++)
        {
            Binding.BindInput(names[i].Past, past[i]);
            Binding.BindOutputToDevice(names[i].Present, OrtMemoryInfo.DefaultInstance);
        }
    }

    protected override void After()
    {
        var present = Binding.GetOutputValues().ToArray(); // in the order in which they were bound first: logits, then the cache
        End();
        present[0].Dispose();
        past = present[1..];
    }

    protected override void End()
    {
        if (past is not null && past != first)
        {
            foreach (var value in past)
            {
                value.Dispose();
            }
            past = first;
        }
    }

    private OrtValue Empty() => Own(OrtValue.CreateAllocatedTensorValue(
        OrtAllocator.DefaultInstance, Model.CacheType, [Point.Batch, Model.Heads, 0, Model.Width]));
}
