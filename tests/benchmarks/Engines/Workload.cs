using System.Diagnostics;
using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Sampling;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>
/// The runs of a case on one session, with uniform random token ids. A cache that the case begins with holds random numbers of
/// variance one: no time depends on their values.
/// </summary>
internal abstract class Workload : IDisposable
{
    private readonly NativeBuffer<long> ids, positions, keep;
    private readonly NativeBuffer<float> logits;
    private readonly List<IDisposable> owned = [];
    private readonly RunOptions run = new();
    private readonly InferenceSession session;

    protected Workload(InferenceSession session, PackageModel model, Case point)
    {
        (this.session, Model, Point) = (session, model, point);
        int tokens = point.Batch * point.Sequence;
        (ids, positions, keep, logits) = (Own(new NativeBuffer<long>(tokens)), Own(new NativeBuffer<long>(tokens)),
            Own(new NativeBuffer<long>(1)), Own(new NativeBuffer<float>(point.Batch * model.Vocabulary)));
        keep.Span[0] = 1; // the last token's logits, as a decoder wants them
        Own(run);
        Binding = Own(session.CreateIoBinding());
        Binding.BindInput("input_ids", Own(ids.Tensor(TensorElementType.Int64, point.Batch, point.Sequence)));
        Binding.BindInput("position_ids", Own(positions.Tensor(TensorElementType.Int64, point.Batch, point.Sequence)));
        Binding.BindInput(DecoderGraph.KeepName, Own(keep.Tensor(TensorElementType.Int64)));
        Binding.BindOutput("logits", Own(logits.Tensor(TensorElementType.Float, point.Batch, 1, model.Vocabulary)));
    }

    public OrtIoBinding Binding { get; }

    /// <summary>How the cache is kept, for the table.</summary>
    public abstract string CacheMode { get; }

    /// <summary>Logits of the last run (B, V).</summary>
    public ReadOnlySpan<float> Logits => logits.Span;

    protected PackageModel Model { get; }

    protected Case Point { get; }

    public static Workload Create(InferenceSession session, PackageModel model, Case point, bool grow) =>
        grow ? new GrowingWorkload(session, model, point) : new SharedWorkload(session, model, point);

    /// <summary>One timing: all steps of the case, from its start. Equal seeds give equal ids.</summary>
    /// <returns>Seconds, of which everything but the draw of the ids is part.</returns>
    public double Run(ulong seed, Action? stepped = null)
    {
        var random = new RandomStream(seed);
        long[] drawn = [.. Enumerable.Range(0, (int)Point.Tokens).Select(_ => (long)(random.NextUInt64() % (ulong)Model.Vocabulary))];
        Begin();
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < Point.Steps; step++)
        {
            drawn.AsSpan(step * ids.Length, ids.Length).CopyTo(ids.Span);
            for (int i = 0; i < positions.Length; i++)
            {
                positions.Span[i] = Point.Start + step * Point.Sequence + i % Point.Sequence;
            }
            Before(step);
            session.RunWithBinding(run, Binding);
            After();
            stepped?.Invoke();
        }
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        End();
        return seconds;
    }

    public void Dispose()
    {
        End();
        for (int i = owned.Count - 1; i >= 0; i--)
        {
            owned[i].Dispose();
        }
    }

    protected virtual void Begin()
    {
    }

    protected virtual void Before(int step)
    {
    }

    protected virtual void After()
    {
    }

    protected virtual void End()
    {
    }

    protected T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }

    /// <summary>A mask of ones (B, length).</summary>
    protected NativeBuffer<long> Ones(int length)
    {
        var buffer = Own(new NativeBuffer<long>(Point.Batch * length));
        buffer.Span.Fill(1);
        return buffer;
    }

    /// <summary>A half of one layer's cache (B, heads, length, width).</summary>
    protected OrtValue CacheHalf(int length, ulong seed)
    {
        long[] shape = [Point.Batch, Model.Heads, length, Model.Width];
        var buffer = Own(new NativeBuffer<byte>(checked((int)(shape.Aggregate(1L, (a, b) => a * b) * Model.CacheElementBytes))));
        if (Point.Start > 0)
        {
            RandomCache.Fill(buffer.Span, Model.CacheType, seed);
        }
        return Own(buffer.Tensor(Model.CacheType, shape));
    }
}
