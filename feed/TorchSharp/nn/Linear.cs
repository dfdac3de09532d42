// y = x Wᵀ + b.
using TorchSharp.Internals;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp
{
    namespace Modules
    {
        public sealed class Linear : torch.nn.Module<torch.Tensor, torch.Tensor>
        {
            [ComponentName(Name = nameof(weight))]
            private Parameter _weight;

            [ComponentName(Name = nameof(bias))]
            private Parameter? _bias;

            internal Linear(Parameter weight, Parameter? bias)
                : base(nameof(Linear))
            {
                out_features = weight.shape[0];
                in_features = weight.shape[1];
                this.weight = _weight = weight;
                this.bias = bias;
            }

            public long in_features { get; set; }

            public long out_features { get; set; }

            public Parameter weight
            {
                get => _weight;
                set
                {
                    ArgumentNullException.ThrowIfNull(value);
                    if (value != (object)_weight)
                        _weight.Dispose();
                    _weight = (Parameter)value.DetachFromDisposeScope();
                    ConditionallyRegisterParameter(nameof(weight), _weight);
                }
            }

            public Parameter? bias
            {
                get => _bias;
                set
                {
                    if (value != (object?)_bias)
                        _bias?.Dispose();
                    _bias = (Parameter?)value?.DetachFromDisposeScope();
                    ConditionallyRegisterParameter(nameof(bias), _bias);
                }
            }

            public override torch.Tensor forward(torch.Tensor tensor) => torch.nn.functional.linear(tensor, _weight, _bias);
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Weights and bias uniform in ±1/√inputSize.</summary>
            public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null,
                ScalarType? dtype = null)
            {
                var weight = empty(outputSize, inputSize, dtype, device).AsParameter();
                init.kaiming_uniform_(weight, Math.Sqrt(5));
                if (!hasBias)
                    return new Linear(weight, null);
                var bias = empty(outputSize, dtype, device).AsParameter();
                double bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
                init.uniform_(bias, -bound, bound);
                return new Linear(weight, bias);
            }

            public static Linear Linear(Parameter weight, Parameter? bias = null) => new(weight, bias);

            public static partial class functional
            {
                public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                    Aten.Call("linear", input, weights, bias);
            }
        }
    }
}
