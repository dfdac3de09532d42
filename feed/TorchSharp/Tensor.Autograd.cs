// Differentiation.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public bool requires_grad
        {
            get => Describe().RequiresGrad != 0;
            set
            {
                Native.Check(Native.ts_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        /// <summary>The gradient that backward accumulated, or null.</summary>
        public Tensor? grad
        {
            get
            {
                Native.Check(Native.ts_grad(Handle, out var result));
                GC.KeepAlive(this);
                return result == 0 ? null : new Tensor(result);
            }
            set
            {
                Native.Check(Native.ts_set_grad(Handle, value is null ? 0 : value.Handle));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true) => with_requires_grad(requires_grad);

        public Tensor with_requires_grad(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public void retain_grad()
        {
            Native.Check(Native.ts_retain_grad(Handle));
            GC.KeepAlive(this);
        }

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false,
            IList<Tensor>? inputs = null) => autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        internal static IntPtr[] Handles(IList<Tensor>? tensors) =>
            tensors is null ? [] : tensors.Select(tensor => tensor.Handle).ToArray();

        public Tensor detach() => Aten.Call("detach", this);

        public Tensor detach_() => InPlace("detach_", this);
    }

    public static partial class autograd
    {
        public static unsafe IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null,
            bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            var results = new IntPtr[inputs.Count];
            IntPtr[] outs = Tensor.Handles(outputs), ins = Tensor.Handles(inputs), grads = Tensor.Handles(grad_outputs);
            fixed (IntPtr* outsPointer = outs, insPointer = ins, gradsPointer = grads, resultsPointer = results)
            {
                Native.Check(Native.ts_autograd_grad(outsPointer, outs.Length, insPointer, ins.Length, gradsPointer, grads.Length,
                    retain_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, resultsPointer));
            }
            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            return results.Select(handle => new Tensor(handle)).ToList();
        }

        public static unsafe void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null,
            bool create_graph = false, IList<Tensor>? inputs = null)
        {
            IntPtr[] outs = Tensor.Handles(tensors), grads = Tensor.Handles(grad_tensors), ins = Tensor.Handles(inputs);
            fixed (IntPtr* outsPointer = outs, gradsPointer = grads, insPointer = ins)
            {
                Native.Check(Native.ts_backward(outsPointer, outs.Length, gradsPointer, grads.Length,
                    retain_graph ?? create_graph ? 1 : 0, create_graph ? 1 : 0, insPointer, ins.Length));
            }
            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null,
            bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor>? inputs = null) => backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);
    }
}
