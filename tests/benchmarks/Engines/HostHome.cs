using LatentMoE.Benchmarks.Models;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Benchmarks.Engines;

/// <summary>Tensors of the CPU, which the workload writes and reads itself.</summary>
internal sealed class HostHome : TensorHome
{
    public override OrtValue Input(NativeBuffer<long> buffer, params long[] shape) => Own(buffer.Tensor(TensorElementType.Int64, shape));

    public override OrtValue Output(TensorElementType type, params long[] shape) =>
        Own(OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape));

    public override OrtValue Cache(PackageModel model, long[] shape, ulong? seed)
    {
        var buffer = Own(new NativeBuffer<byte>(Bytes(model, shape)));
        if (seed is { } number)
        {
            RandomCache.Fill(buffer.Span, model.CacheType, number);
        }
        return Own(buffer.Tensor(model.CacheType, shape));
    }
}
