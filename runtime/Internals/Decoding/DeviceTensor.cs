using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>A tensor at an address that never changes, where a graph's session computes. Its first content is arbitrary.</summary>
internal sealed class DeviceTensor : IDisposable
{
    private readonly DeviceMemory _home;
    private readonly OrtMemoryAllocation _memory;
    private readonly TensorElementType _type;
    private readonly long _bytes;

    public DeviceTensor(DeviceMemory memory, TensorElementType type, params long[] shape)
    {
        int element = type switch
        {
            TensorElementType.Int64 => sizeof(long),
            TensorElementType.Float => sizeof(float),
            TensorElementType.Float16 or TensorElementType.BFloat16 => sizeof(ushort),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "expected Int64, Float, Float16 or BFloat16"),
        };
        (_home, _type) = (memory, type);
        _bytes = shape.Aggregate((long)element, (product, size) => checked(product * size));
        _memory = memory.Allocate(_bytes);
        Value = View(shape);
    }

    public OrtValue Value { get; }

    /// <summary>The same memory in another shape, valid until this tensor is disposed of.</summary>
    public OrtValue View(params long[] shape) => _home.Tensor(_memory, _bytes, _type, shape);

    public void Dispose()
    {
        Value.Dispose();
        _memory.Dispose();
    }
}
