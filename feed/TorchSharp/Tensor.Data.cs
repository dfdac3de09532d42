// Reading and writing a tensor's elements from managed code.
using System.Runtime.InteropServices;
using TorchSharp.Internals;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The raw bytes of a contiguous CPU tensor, without a copy: they last as long as the tensor does.</summary>
        public unsafe Span<byte> bytes
        {
            get => new(CpuPointer(), checked((int)(NumberOfElements * ElementSize)));
            set
            {
                if (value.Length != NumberOfElements * ElementSize)
                    throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(new Span<byte>(CpuPointer(), value.Length));
                GC.KeepAlive(this);
            }
        }

        internal unsafe void* DataPointer
        {
            get
            {
                Native.Check(Native.ts_data(Handle, out var pointer));
                GC.KeepAlive(this);
                return (void*)pointer;
            }
        }

        /// <summary>A view of the elements; <typeparamref name="T"/> is exactly the element type. There is none for bfloat16.</summary>
        public TensorAccessor<T> data<T>() where T : unmanaged
        {
            ValidateType(typeof(T));
            return new TensorAccessor<T>(device_type == DeviceType.CPU ? this : cpu());
        }

        /// <summary>The value of a tensor of one element; <typeparamref name="T"/> is exactly the element type.</summary>
        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1)
                throw new ArgumentException("Number of elements in the tensor must be 1");
            return data<T>()[0];
        }

        public Scalar ToScalar() => new(Aten.Value("item", this));

        /// <summary>Writes the elements of a contiguous CPU tensor as they lie in memory.</summary>
        public unsafe void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            byte* pointer = CpuPointer();
            for (long left = NumberOfElements * ElementSize; left > 0;)
            {
                int count = (int)Math.Min(left, Math.Max(bufferSize, 1 << 16));
                stream.Write(new ReadOnlySpan<byte>(pointer, count));
                pointer += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        /// <summary>Overwrites the elements of a contiguous CPU tensor.</summary>
        /// <exception cref="EndOfStreamException">The stream is shorter than the tensor.</exception>
        public unsafe void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            byte* pointer = CpuPointer();
            for (long left = NumberOfElements * ElementSize; left > 0;)
            {
                int count = (int)Math.Min(left, Math.Max(bufferSize, 1 << 16));
                stream.ReadExactly(new Span<byte>(pointer, count));
                pointer += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        internal void ValidateType(Type dotnetType)
        {
            var type = dtype;
            if (type == ScalarType.BFloat16)
                throw new ArgumentException($"No support for {type} in TorchSharp");
            if (!ElementTypes.TryGet(dotnetType, out var expected) || expected != type)
                throw new ArgumentException($"{dotnetType.Name} is not compatible with {type}");
        }

        private unsafe byte* CpuPointer()
        {
            if (!is_contiguous())
                throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
            if (device_type != DeviceType.CPU)
            {
                throw new InvalidOperationException(
                    "Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
            }
            return (byte*)DataPointer;
        }
    }
}
