using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>Zeroed memory outside the managed heap, at an address that never changes, with tensors laid over its start.</summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private readonly OrtMemoryAllocation _memory;

    public NativeBuffer(int length)
    {
        Length = length;
        _memory = OrtAllocator.DefaultInstance.Allocate(checked((uint)length * (uint)sizeof(T)));
        Span.Clear();
    }

    public int Length { get; }

    public Span<T> Span => new((void*)_memory.DangerousGetHandle(), Length);

    /// <summary>A tensor over the first elements; it is valid until this buffer is disposed of.</summary>
    public OrtValue Tensor(Microsoft.ML.OnnxRuntime.Tensors.TensorElementType type, params long[] shape) =>
        OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape, _memory.DangerousGetHandle(), (long)Length * sizeof(T));

    public void Dispose() => _memory.Dispose();
}
