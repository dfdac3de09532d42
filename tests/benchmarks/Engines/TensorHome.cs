using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Makes a workload's tensors in the memory that its session computes in; they live as long as it.</summary>
internal abstract class TensorHome : IDisposable
{
    private readonly List<IDisposable> owned = [];

    /// <summary>Whether whole runs may be captured: then nothing else may be bound.</summary>
    public virtual bool IsDevice => false;

    /// <summary>A tensor over the buffer's start, or one that <see cref="Feed"/> copies it to.</summary>
    public abstract OrtValue Input(NativeBuffer<long> buffer, params long[] shape);

    public abstract OrtValue Output(TensorElementType type, params long[] shape);

    /// <summary>A half of one layer's cache (B, heads, length, width): random numbers, or zeros.</summary>
    public abstract OrtValue Cache(PackageModel model, long[] shape, ulong? seed);

    /// <summary>Brings the inputs up to date.</summary>
    public virtual void Feed()
    {
    }

    public virtual void Dispose()
    {
        for (int i = owned.Count - 1; i >= 0; i--)
        {
            owned[i].Dispose();
        }
    }

    protected T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }

    protected static int Bytes(PackageModel model, long[] shape) => checked((int)(shape.Aggregate(1L, (a, b) => a * b) * model.CacheElementBytes));
}
