// What a tensor is: shape, strides, element type, device.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public long Dimensions => Describe().Dim;

        public long ndim => Describe().Dim;

        public long dim() => Describe().Dim;

        public long NumberOfElements => Describe().Numel;

        public long numel() => Describe().Numel;

        public long ElementSize => Describe().ElementSize;

        public long element_size() => Describe().ElementSize;

        public long storage_offset() => Describe().StorageOffset;

        public ScalarType dtype => (ScalarType)Describe().DType;

        public DeviceType device_type => (DeviceType)Describe().DeviceType;

        public int device_index => Describe().DeviceIndex;

        public Device device
        {
            get
            {
                var description = Describe();
                return new Device((DeviceType)description.DeviceType, description.DeviceIndex);
            }
        }

        public long[] shape => size();

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_leaf => Describe().Leaf != 0;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        public bool is_contiguous() => Describe().Contiguous != 0;

        public bool is_nonzero() => numel() == 1
            ? Aten.Truth("is_nonzero", this)
            : throw new InvalidOperationException("is_nonzero() called on non-singleton tensor");

        public long size(int dim)
        {
            long[] sizes = size();
            return sizes[Axis(dim, sizes.Length)];
        }

        public long[] size() => Sizes().Sizes;

        public long stride(int dim)
        {
            long[] strides = stride();
            return strides[Axis(dim, strides.Length)];
        }

        public long[] stride() => Sizes().Strides;

        public override string ToString() => $"[{string.Join('x', shape)}], type = {dtype}, device = {device}";

        private static int Axis(int dim, int rank)
        {
            // What libtorch reports for an axis out of range.
            int low = -Math.Max(rank, 1), high = Math.Max(rank, 1) - 1;
            if (rank == 0 || dim < low || dim > high)
            {
                throw new System.Runtime.InteropServices.ExternalException(
                    $"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})");
            }
            return dim < 0 ? dim + rank : dim;
        }

        internal unsafe Description Describe()
        {
            Description description;
            Native.Check(Native.ts_describe(Handle, &description));
            GC.KeepAlive(this);
            return description;
        }

        private unsafe (long[] Sizes, long[] Strides) Sizes()
        {
            int rank = Describe().Dim;
            var sizes = new long[rank];
            var strides = new long[rank];
            fixed (long* sizesPointer = sizes, stridesPointer = strides)
                Native.Check(Native.ts_sizes(Handle, sizesPointer, stridesPointer));
            GC.KeepAlive(this);
            return (sizes, strides);
        }
    }
}
