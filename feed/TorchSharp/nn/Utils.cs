// Bounds on gradients.
using TorchSharp.Internals;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class utils
        {
            /// <summary>
            /// Scales the gradients so that the norm of all of them together is at most max_norm, and returns the norm that they had.
            /// </summary>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2.0)
            {
                using var mode = no_grad();
                using var scope = NewDisposeScope();
                var grads = Gradients(tensors);
                if (grads.Length == 0)
                    return 0;
                var norms = Aten.CallList("_foreach_norm.Scalar", grads, norm_type);
                double total = double.IsPositiveInfinity(norm_type)
                    ? stack(norms).max().ToDouble()
                    : Aten.Call("norm.Scalar", stack(norms), norm_type).ToDouble();
                float scale = (float)max_norm / ((float)total + 1e-6f);
                if (!(scale >= 1))
                    Aten.Do("_foreach_mul_.Scalar", grads, (double)scale);
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var mode = no_grad();
                using var scope = NewDisposeScope();
                foreach (var grad in Gradients(tensors))
                    grad.clamp_(-clip_value, clip_value);
            }

            private static Tensor[] Gradients(IEnumerable<Parameter> tensors) =>
                tensors.Select(tensor => tensor.grad).OfType<Tensor>().ToArray();
        }
    }
}
