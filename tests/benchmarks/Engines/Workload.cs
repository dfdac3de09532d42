using System.Diagnostics;
using System.Globalization;
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
    private static int graphs;
    private readonly NativeBuffer<long> ids, positions;
    private readonly List<IDisposable> owned = [];
    private readonly RunOptions run = new();
    private readonly InferenceSession session;
    private readonly TensorHome home;
    private readonly OrtValue logits;

    protected Workload(InferenceSession session, PackageModel model, Case point, TensorHome home)
    {
        (this.session, Model, Point, this.home) = (session, model, point, Own(home));
        int tokens = point.Batch * point.Sequence;
        (ids, positions) = (Own(new NativeBuffer<long>(tokens)), Own(new NativeBuffer<long>(tokens)));
        Own(run);
        Binding = Own(session.CreateIoBinding());
        Binding.BindInput("input_ids", home.Input(ids, point.Batch, point.Sequence));
        Binding.BindInput("position_ids", home.Input(positions, point.Batch, point.Sequence));
        if (point.Sequence > 1) // the last token's logits, as a decoder wants them; of one token there are no others
        {
            var keep = Own(new NativeBuffer<long>(1));
            keep.Span[0] = 1;
            Binding.BindInput(DecoderGraph.KeepName, Own(keep.Tensor(TensorElementType.Int64)));
        }
        logits = home.Output(model.LogitsType, point.Batch, 1, model.Vocabulary);
        Binding.BindOutput("logits", logits);
    }

    public OrtIoBinding Binding { get; }

    /// <summary>How the cache is kept, for the table.</summary>
    public abstract string CacheMode { get; }

    /// <summary>Logits of the last run (B, V), where they are float32 in the CPU's memory.</summary>
    public ReadOnlySpan<float> Logits => logits.GetTensorDataAsSpan<float>();

    /// <summary>Under which ONNX Runtime finds the captured run again.</summary>
    private string GraphId
    {
        set => run.AddRunConfigEntry("gpu_graph_id", value);
    }

    protected PackageModel Model { get; }

    protected Case Point { get; }

    public static Workload Create(InferenceSession session, PackageModel model, Case point, bool grow) =>
        grow ? new GrowingWorkload(session, model, point) : new SharedWorkload(session, model, point, new HostHome());

    /// <summary>On the engine's device, with everything bound that a run needs.</summary>
    public static Workload Create(Engine engine, InferenceSession session, PackageModel model, Case point, bool grow)
    {
        if (engine.Device == Engine.Cpu)
        {
            return Create(session, model, point, grow);
        }
        var workload = new SharedWorkload(session, model, point, new DeviceHome(session));
        if (engine.Captures)
        {
            workload.GraphId = Interlocked.Increment(ref graphs).ToString(CultureInfo.InvariantCulture);
        }
        return workload;
    }

    /// <summary>One timing: all steps of the case, from its start. Equal seeds give equal ids.</summary>
    /// <returns>Seconds, of which everything but the draw of the ids, and their way to a device, is part.</returns>
    public double Run(ulong seed, Action? stepped = null)
    {
        var random = new RandomStream(seed);
        long[] drawn = [.. Enumerable.Range(0, (int)Point.Tokens).Select(_ => (long)(random.NextUInt64() % (ulong)Model.Vocabulary))];
        Begin();
        var time = TimeSpan.Zero;
        for (int step = 0; step < Point.Steps; step++)
        {
            drawn.AsSpan(step * ids.Length, ids.Length).CopyTo(ids.Span);
            for (int i = 0; i < positions.Length; i++)
            {
                positions.Span[i] = Point.Start + step * Point.Sequence + i % Point.Sequence;
            }
            home.Feed();
            long start = Stopwatch.GetTimestamp();
            Before(step);
            session.RunWithBinding(run, Binding);
            After();
            time += Stopwatch.GetElapsedTime(start);
            stepped?.Invoke();
        }
        End();
        return time.TotalSeconds;
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
    protected OrtValue CacheHalf(int length, ulong seed) =>
        home.Cache(Model, [Point.Batch, Model.Heads, length, Model.Width], Point.Start > 0 ? seed : null);

    /// <summary>A tensor that no run changes.</summary>
    protected OrtValue Fixed(NativeBuffer<long> buffer, params long[] shape) => home.Input(buffer, shape);
}
