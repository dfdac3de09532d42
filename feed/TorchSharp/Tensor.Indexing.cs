// Index expressions: numbers, ranges and new axes are views; masks and tensors of positions gather or scatter.
using System.Runtime.CompilerServices;
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => select(0, i1);
            set => Assign([i1], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => index(i1, i2);
            set => Assign([i1, i2], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => index(i1, i2, i3);
            set => Assign([i1, i2, i3], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => index(i1, i2, i3, i4);
            set => Assign([i1, i2, i3, i4], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params long[] indices]
        {
            get => index(Singles(indices));
            set => Assign(indices, value);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var view = View(indices, out var positions);
            if (positions is null)
                return view;
            using (view)
                return Aten.Call("index.Tensor", view, Arg.OptionalTensors(positions));
        }

        public Tensor index(params Tensor[] indices) => index(Array.ConvertAll(indices, TensorIndex.Tensor));

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => Put(value, indices, false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false) => Put(value, indices, accumulate);

        public Tensor index_put_(Tensor value, params Tensor[] indices) =>
            Put(value, Array.ConvertAll(indices, TensorIndex.Tensor), false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false) =>
            Put(value, Array.ConvertAll(indices, TensorIndex.Tensor), accumulate);

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var number = torch.full((long[])[], value, dtype, device);
            return Put(number, indices, false);
        }

        public Tensor index_put_(Scalar value, params Tensor[] indices) =>
            index_put_(value, Array.ConvertAll(indices, TensorIndex.Tensor));

        private static TensorIndex[] Singles(long[] indices) => Array.ConvertAll(indices, index => TensorIndex.Single(index));

        private void Assign(long[] indices, Tensor value) => Put(value, Singles(indices), false);

        private Tensor Put(Tensor value, TensorIndex[] indices, bool accumulate)
        {
            using var view = View(indices, out var positions);
            if (positions is not null)
                Aten.Do("index_put_", view, Arg.OptionalTensors(positions), value, accumulate);
            else if (accumulate)
                throw new ArgumentException("Accumulating needs indices that are tensors.", nameof(indices));
            else
                view.copy_(value);
            return this;
        }

        /// <summary>Applies the indices that make views; positions has, for each axis of the view, the tensor that indexes it.</summary>
        private Tensor View(TensorIndex[] indices, out Tensor?[]? positions)
        {
            var view = alias();
            var gathered = new List<Tensor?>();
            int axis = 0;
            foreach (var index in indices)
            {
                switch (index.kind)
                {
                    case TensorIndex.Kind.Single:
                        view = Step(view, view.select(axis, index.startIndexOrBoolOrSingle!.Value));
                        break;
                    case TensorIndex.Kind.Slice:
                        view = Step(view, Aten.Call("slice.Tensor", view, axis++, index.startIndexOrBoolOrSingle,
                            index.stopIndex, index.step ?? 1));
                        break;
                    case TensorIndex.Kind.Ellipsis:
                        axis += (int)ndim - indices.Sum(Consumed);
                        break;
                    case TensorIndex.Kind.None or TensorIndex.Kind.Null:
                        view = Step(view, view.unsqueeze(axis++));
                        break;
                    case TensorIndex.Kind.Bool:
                        view = Step(view, view.unsqueeze(axis));
                        Gather(gathered, axis++, torch.tensor(new[] { index.startIndexOrBoolOrSingle == 1 }, device: device));
                        break;
                    default:
                        Gather(gathered, axis++, index.tensor!);
                        break;
                }
            }
            positions = gathered.Count == 0 ? null : gathered.ToArray();
            return view;
        }

        /// <summary>How many of the tensor's own axes an index covers: a mask as many as it has itself.</summary>
        private static int Consumed(TensorIndex index) => index.kind switch
        {
            TensorIndex.Kind.Single or TensorIndex.Kind.Slice => 1,
            TensorIndex.Kind.Tensor => index.tensor!.dtype is ScalarType.Bool or ScalarType.Byte ? (int)index.tensor.ndim : 1,
            _ => 0,
        };

        private static void Gather(List<Tensor?> gathered, int axis, Tensor positions)
        {
            while (gathered.Count < axis)
                gathered.Add(null);
            gathered.Add(positions);
        }

        private static Tensor Step(Tensor former, Tensor next)
        {
            former.Dispose();
            return next;
        }
    }
}
