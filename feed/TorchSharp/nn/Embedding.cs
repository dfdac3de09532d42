// A table of vectors, looked up by number.
using TorchSharp.Internals;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp
{
    namespace Modules
    {
        public sealed class Embedding : torch.nn.Module<torch.Tensor, torch.Tensor>
        {
            private readonly long _paddingIndex;
            private readonly double? _maxNorm;
            private readonly double _normType;
            private readonly bool _scaleGradByFrequency;
            private readonly bool _sparse;

            [ComponentName(Name = nameof(weight))]
            private Parameter _weight;

            internal Embedding(Parameter weight, long? padding_idx, double? max_norm, double norm_type, bool scale_grad_by_freq,
                bool sparse)
                : base(nameof(Embedding))
            {
                _paddingIndex = padding_idx ?? -1;
                _maxNorm = max_norm;
                _normType = norm_type;
                _scaleGradByFrequency = scale_grad_by_freq;
                _sparse = sparse;
                this.weight = _weight = weight;
            }

            public Parameter? weight
            {
                get => _weight;
                set
                {
                    if (value is null)
                        throw new ArgumentNullException(nameof(value), "weight cannot be set to 'null'");
                    _weight = (Parameter)value.DetachFromDisposeScope();
                    ConditionallyRegisterParameter(nameof(weight), _weight);
                }
            }

            public override torch.Tensor forward(torch.Tensor input)
            {
                if (_maxNorm is { } bound)
                {
                    using (torch.no_grad())
                        Aten.Do("embedding_renorm_", _weight, input, bound, _normType);
                }
                return Aten.Call("embedding", _weight, input, _paddingIndex, _scaleGradByFrequency, _sparse);
            }
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Vectors of the standard normal distribution; the one at padding_idx is zero and has no gradient.</summary>
            public static Embedding Embedding(long num_embeddings, long embedding_dims, long? padding_idx = null,
                double? max_norm = null, double norm_type = 2.0, bool scale_grad_by_freq = false, bool sparse = false,
                Device? device = null, ScalarType? dtype = null)
            {
                var weight = empty(num_embeddings, embedding_dims, dtype, device).AsParameter();
                using var mode = no_grad();
                weight.normal_();
                long? index = padding_idx < 0 ? num_embeddings + padding_idx : padding_idx;
                if (index is { } row)
                {
                    using var padding = weight.select(0, row);
                    padding.fill_(0);
                }
                return new Embedding(weight, index, max_norm, norm_type, scale_grad_by_freq, sparse);
            }
        }
    }
}
