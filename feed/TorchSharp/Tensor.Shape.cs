// Views and copies of another shape.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The transpose of a matrix; a tensor of other rank has its axes reversed.</summary>
        public Tensor T => Aten.Call("numpy_T", this);

        public Tensor mT => Aten.Call("mT", this);

        public Tensor reshape(params long[] shape) => Aten.Call("reshape", this, shape);
        public Tensor view(params long[] shape) => Aten.Call("view", this, shape);
        public Tensor view_as(Tensor other) => view(other.shape);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Aten.Call("flatten.using_ints", this, start_dim, end_dim);
        public Tensor unflatten(long dim, params long[] sizes)
        {
            long axis = dim < 0 ? dim + ndim : dim;
            long[] former = shape;
            return view([.. former[..(int)axis], .. sizes, .. former[((int)axis + 1)..]]);
        }

        public Tensor ravel() => Aten.Call("ravel", this);
        public Tensor contiguous() => Aten.Call("contiguous", this);
        public Tensor squeeze(long? dim = null) => dim is { } axis ? Aten.Call("squeeze.dim", this, axis) : Aten.Call("squeeze", this);
        public Tensor squeeze_(long? dim = null) => dim is { } axis ? InPlace("squeeze_.dim", this, axis) : InPlace("squeeze_", this);
        public Tensor unsqueeze(long dim) => Aten.Call("unsqueeze", this, dim);
        public Tensor unsqueeze_(long dim) => InPlace("unsqueeze_", this, dim);
        public Tensor t() => Aten.Call("t", this);
        public Tensor transpose(long dim0, long dim1) => Aten.Call("transpose.int", this, dim0, dim1);
        public Tensor transpose_(long dim0, long dim1) => InPlace("transpose_", this, dim0, dim1);
        public Tensor swapaxes(long dim0, long dim1) => transpose(dim0, dim1);
        public Tensor swapdims(long dim0, long dim1) => transpose(dim0, dim1);
        public Tensor permute(params long[] permutation) => Aten.Call("permute", this, permutation);
        public Tensor permute(IEnumerable<long> permutation) => permute(permutation.ToArray());
        public Tensor movedim(long[] source, long[] destination) => Aten.Call("movedim.intlist", this, source, destination);
        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0L) =>
            Aten.Call("as_strided", this, size, strides, storageOffset);

        public Tensor narrow(long dim, long start, long length) => Aten.Call("narrow", this, dim, start, length);
        public Tensor select(long dim, long index) => Aten.Call("select.int", this, dim, index);
        public Tensor slice(long dim, long start, long finish, long step) => Aten.Call("slice.Tensor", this, dim, start, finish, step);
        public Tensor unfold(long dimension, long size, long step) => Aten.Call("unfold", this, dimension, size, step);
        public Tensor diagonal(long offset = 0L, long dim1 = 0L, long dim2 = 1L) => Aten.Call("diagonal", this, offset, dim1, dim2);
        public Tensor diag(long diagonal = 0) => Aten.Call("diag", this, diagonal);
        public Tensor tril(long diagonal = 0) => Aten.Call("tril", this, diagonal);
        public Tensor triu(long diagonal = 0) => Aten.Call("triu", this, diagonal);

        public Tensor[] chunk(long chunks, long dim = 0L) => Aten.CallList("chunk", this, chunks, dim);
        public Tensor[] split(long size, int dim = 0) => Aten.CallList("split.Tensor", this, size, dim);
        public Tensor[] split(long[] sizes, long dim = 0) => Aten.CallList("split_with_sizes", this, sizes, dim);
        public Tensor[] split(params long[] sizes) => split(sizes, 0);
        public Tensor[] tensor_split(long size, long dim = 0L) => Aten.CallList("tensor_split.sections", this, size, dim);
        public Tensor[] unbind(long dimension = 0L) => Aten.CallList("unbind.int", this, dimension);

        public Tensor expand(params long[] sizes) => Aten.Call("expand", this, sizes);
        public Tensor expand(long[] sizes, bool isImplicit = false) => Aten.Call("expand", this, sizes, isImplicit);
        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false) => expand(sizes.ToArray(), isImplicit);
        public Tensor expand_as(Tensor other) => expand(other.shape);
        public Tensor broadcast_to(params long[] shape) => Aten.Call("broadcast_to", this, shape);
        public Tensor repeat(params long[] sizes) => Aten.Call("repeat", this, sizes);
        public Tensor tile(long[] reps) => Aten.Call("tile", this, reps);
        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null) =>
            Aten.Call("repeat_interleave.self_Tensor", this, repeats, dim, output_size);
        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) =>
            Aten.Call("repeat_interleave.self_int", this, repeats, dim, output_size);

        public Tensor flip(params long[] dims) => Aten.Call("flip", this, dims);
        public Tensor roll(long shifts, long? dims = null) =>
            Aten.Call("roll", this, (long[])[shifts], dims is { } axis ? (long[])[axis] : []);
        public Tensor roll(long[] shifts, long[] dims) => Aten.Call("roll", this, shifts, dims);
        public Tensor roll(long[] shifts) => roll(shifts, [0]);
    }
}
