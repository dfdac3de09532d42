// Random values in place, and draws from a distribution that a tensor gives.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) =>
            InPlace("normal_", this, mean, std, generator);

        public Tensor uniform_(double from, double to, Generator? generator = null) => InPlace("uniform_", this, from, to, generator);

        public Tensor random_(double from, double to, Generator? generator = null) =>
            InPlace("random_.from", this, (long)from, (long)to, generator);

        public Tensor exponential_(double lambda = 1.0, Generator? generator = null) =>
            InPlace("exponential_", this, lambda, generator);

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => InPlace("bernoulli_.float", this, p, generator);

        public Tensor bernoulli(Generator? generator = null) => Aten.Call("bernoulli", this, generator);

        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) =>
            Aten.Call("multinomial", this, num_samples, replacement, generator);
    }
}
