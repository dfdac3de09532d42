using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>Allocates where a graph's session computes: on the CPU, or on its CUDA device.</summary>
internal sealed class DeviceMemory : IDisposable
{
    private readonly OrtMemoryInfo? _cuda;
    private readonly OrtAllocator _allocator;

    public DeviceMemory(InferenceSession session, bool onCuda)
    {
        _cuda = onCuda ? new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default) : null;
        _allocator = _cuda is null ? OrtAllocator.DefaultInstance : new OrtAllocator(session, _cuda);
    }

    public OrtMemoryAllocation Allocate(long bytes) => _allocator.Allocate(checked((uint)bytes));

    /// <summary>A tensor over the start of such memory.</summary>
    public OrtValue Tensor(OrtMemoryAllocation memory, long bytes, TensorElementType type, params long[] shape) =>
        TensorAt(memory.DangerousGetHandle(), bytes, type, shape);

    /// <summary>A tensor over memory at an address of this device.</summary>
    public OrtValue TensorAt(nint address, long bytes, TensorElementType type, params long[] shape) =>
        OrtValue.CreateTensorValueWithData(_allocator.Info, type, shape, address, bytes);

    public void Dispose()
    {
        if (_cuda is not null)
        {
            _allocator.Dispose();
            _cuda.Dispose();
        }
    }
}
