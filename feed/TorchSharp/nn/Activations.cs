// Modules without parameters, and the functions that they apply.
using TorchSharp.Internals;
using TorchSharp.Modules;

namespace TorchSharp
{
    namespace Modules
    {
        public abstract class ParameterLessModule<T1, TResult> : torch.nn.Module<T1, TResult>
        {
            protected ParameterLessModule(string name)
                : base(name) { }
        }

        public sealed class Dropout : ParameterLessModule<torch.Tensor, torch.Tensor>
        {
            internal Dropout(double p, bool inplace)
                : base(nameof(Dropout)) => (this.p, this.inplace) = (p, inplace);

            public double p { get; set; }

            public bool inplace { get; set; }

            public override torch.Tensor forward(torch.Tensor tensor) => torch.nn.functional.dropout(tensor, p, training, inplace);
        }

        public sealed class ReLU : ParameterLessModule<torch.Tensor, torch.Tensor>
        {
            internal ReLU(bool inplace)
                : base(nameof(ReLU)) => this.inplace = inplace;

            public bool inplace { get; set; }

            public override torch.Tensor forward(torch.Tensor tensor) => torch.nn.functional.relu(tensor, inplace);
        }

        public sealed class SiLU : ParameterLessModule<torch.Tensor, torch.Tensor>
        {
            internal SiLU(bool inplace)
                : base(nameof(SiLU)) => this.inplace = inplace;

            public bool inplace { get; set; }

            public override torch.Tensor forward(torch.Tensor tensor) => torch.nn.functional.silu(tensor, inplace);
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static Dropout Dropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            public static ReLU ReLU(bool inplace = false) => new(inplace);

            public static SiLU SiLU() => new(false);

            public static SiLU SiLU(bool inplace) => new(inplace);

            public static partial class functional
            {
                public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false)
                {
                    if (!inplace)
                        return Aten.Call("dropout", input, p, training);
                    Aten.Do("dropout_", input, p, training);
                    return input.alias();
                }

                public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();

                public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_().alias() : x.silu();

                public static Tensor gelu(Tensor x) => x.gelu();

                public static Tensor sigmoid(Tensor x) => x.sigmoid();

                public static Tensor tanh(Tensor x, bool inplace = false) => inplace ? x.tanh_().alias() : x.tanh();

                public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) => x.softplus(beta, threshold);

                public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

                public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

                public static Tensor one_hot(Tensor x, long num_classes = -1) => Aten.Call("one_hot", x, num_classes);

                /// <summary>x / max(‖x‖ₚ, eps) along an axis.</summary>
                public static Tensor normalize(Tensor input, double p = 2.0, long dim = 1L, double eps = 1e-12)
                {
                    using var norm = Aten.Call("norm.ScalarOpt_dim", input, p, (long[])[dim], true);
                    using var bounded = norm.clamp_min(eps);
                    return input.div(bounded);
                }
            }
        }
    }
}
