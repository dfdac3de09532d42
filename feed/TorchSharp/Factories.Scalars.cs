// New tensors of one number, or of an array's values.
using System.Runtime.InteropServices;
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, dtype ?? ScalarType.Bool, device, requires_grad);

    public static Tensor tensor(byte scalar, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, ScalarType.Byte, device, requires_grad);

    public static Tensor tensor(sbyte scalar, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, ScalarType.Int8, device, requires_grad);

    public static Tensor tensor(short scalar, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, ScalarType.Int16, device, requires_grad);

    public static Tensor tensor(int scalar, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, ScalarType.Int32, device, requires_grad);

    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, dtype ?? ScalarType.Int64, device, requires_grad);

    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, ScalarType.Float32, device, requires_grad);

    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromScalar(scalar, dtype ?? ScalarType.Float64, device, requires_grad);

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    /// <summary>A tensor of the array's shape and, unless another is asked for, of its element type. The array is copied.</summary>
    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false)
    {
        var shape = new long[rawArray.Rank];
        for (int i = 0; i < shape.Length; i++)
            shape[i] = rawArray.GetLength(i);
        return FromArray(rawArray, shape, dtype, device, requires_grad);
    }

    private static Tensor FromScalar(Scalar scalar, ScalarType type, Device? device, bool requires_grad) =>
        full((long[])[], scalar, type, device, requires_grad);

    private static unsafe Tensor FromArray(Array array, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad)
    {
        var type = ElementTypes.Of(array.GetType().GetElementType()!);
        long total = 1;
        foreach (long size in shape)
            total *= size;
        if (total > array.LongLength)
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {total} vs. {array.LongLength}");
        var result = empty(shape, type, CPU);
        var handle = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            long count = total * result.ElementSize;
            if (count > 0)
                Buffer.MemoryCopy((void*)handle.AddrOfPinnedObject(), result.DataPointer, count, count);
        }
        finally
        {
            handle.Free();
        }
        device = InitializeDevice(device);
        if ((dtype ?? type) != type || device.type != DeviceType.CPU)
        {
            using var source = result;
            result = source.to(dtype ?? type, device);
        }
        return Grad(result, requires_grad);
    }
}
