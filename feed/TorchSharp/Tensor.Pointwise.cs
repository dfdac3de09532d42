// Element-wise functions of one tensor. A name that ends in an underscore changes the tensor and returns it.
using TorchSharp.Internals;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor abs() => Aten.Call("abs", this);
        public Tensor abs_() => InPlace("abs_", this);
        public Tensor ceil() => Aten.Call("ceil", this);
        public Tensor ceil_() => InPlace("ceil_", this);
        public Tensor cos() => Aten.Call("cos", this);
        public Tensor cos_() => InPlace("cos_", this);
        public Tensor erf() => Aten.Call("erf", this);
        public Tensor erf_() => InPlace("erf_", this);
        public Tensor exp() => Aten.Call("exp", this);
        public Tensor exp_() => InPlace("exp_", this);
        public Tensor expm1() => Aten.Call("expm1", this);
        public Tensor expm1_() => InPlace("expm1_", this);
        public Tensor floor() => Aten.Call("floor", this);
        public Tensor floor_() => InPlace("floor_", this);
        public Tensor log() => Aten.Call("log", this);
        public Tensor log_() => InPlace("log_", this);
        public Tensor log10() => Aten.Call("log10", this);
        public Tensor log1p() => Aten.Call("log1p", this);
        public Tensor log1p_() => InPlace("log1p_", this);
        public Tensor log2() => Aten.Call("log2", this);
        public Tensor log2_() => InPlace("log2_", this);
        public Tensor logical_not() => Aten.Call("logical_not", this);
        public Tensor logical_not_() => InPlace("logical_not_", this);
        public Tensor bitwise_not() => Aten.Call("bitwise_not", this);
        public Tensor bitwise_not_() => InPlace("bitwise_not_", this);
        public Tensor neg() => Aten.Call("neg", this);
        public Tensor neg_() => InPlace("neg_", this);
        public Tensor negative() => neg();
        public Tensor reciprocal() => Aten.Call("reciprocal", this);
        public Tensor reciprocal_() => InPlace("reciprocal_", this);
        public Tensor rsqrt() => Aten.Call("rsqrt", this);
        public Tensor rsqrt_() => InPlace("rsqrt_", this);
        public Tensor sigmoid() => Aten.Call("sigmoid", this);
        public Tensor sigmoid_() => InPlace("sigmoid_", this);
        public Tensor sign() => Aten.Call("sign", this);
        public Tensor sign_() => InPlace("sign_", this);
        public Tensor sin() => Aten.Call("sin", this);
        public Tensor sin_() => InPlace("sin_", this);
        public Tensor sqrt() => Aten.Call("sqrt", this);
        public Tensor sqrt_() => InPlace("sqrt_", this);
        public Tensor square() => pow(2);
        public Tensor tan() => Aten.Call("tan", this);
        public Tensor tanh() => Aten.Call("tanh", this);
        public Tensor tanh_() => InPlace("tanh_", this);
        public Tensor trunc() => Aten.Call("trunc", this);
        public Tensor trunc_() => InPlace("trunc_", this);
        public Tensor round(long decimals = 0L) => Aten.Call("round.decimals", this, decimals);
        public Tensor round_(long decimals = 0L) => InPlace("round_.decimals", this, decimals);

        public Tensor relu() => Aten.Call("relu", this);
        public Tensor relu_() => InPlace("relu_", this);
        public Tensor gelu() => Aten.Call("gelu", this);
        public Tensor silu() => Aten.Call("silu", this);
        public Tensor silu_() => InPlace("silu_", this);
        public Tensor log_sigmoid() => Aten.Call("log_sigmoid", this);
        public Tensor softplus(double beta = 1, double threshold = 20) => Aten.Call("softplus", this, beta, threshold);
        public Tensor leaky_relu(Scalar negative_slope) => Aten.Call("leaky_relu", this, negative_slope);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.Call("softmax.int", this, dim, dtype);
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Aten.Call("log_softmax.int", this, dim, dtype);

        public Tensor isnan() => Aten.Call("isnan", this);
        public Tensor isinf() => Aten.Call("isinf", this);
        public Tensor isfinite() => Aten.Call("isfinite", this);
        public Tensor isposinf() => Aten.Call("isposinf", this);
        public Tensor isneginf() => Aten.Call("isneginf", this);
        public Tensor nan_to_num(double nan = 0d, double? posinf = null, double? neginf = null) =>
            Aten.Call("nan_to_num", this, nan, posinf, neginf);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Aten.Call("clamp", this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Aten.Call("clamp.Tensor", this, min, max);
        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => InPlace("clamp_", this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => InPlace("clamp_.Tensor", this, min, max);
        public Tensor clamp_max(Scalar max) => Aten.Call("clamp_max", this, max);
        public Tensor clamp_max_(Scalar max) => InPlace("clamp_max_", this, max);
        public Tensor clamp_min(Scalar min) => Aten.Call("clamp_min", this, min);
        public Tensor clamp_min_(Scalar min) => InPlace("clamp_min_", this, min);

        public Tensor fill_(Scalar value) => InPlace("fill_.Scalar", this, value);

        /// <summary>Sets every element to zero; returns a further reference, as the library does.</summary>
        public Tensor zero_() => InPlace("zero_", this).alias();

        public Tensor copy_(Tensor source, bool nonBlocking = false) => InPlace("copy_", this, source, nonBlocking);

        public Tensor clone() => Aten.Call("clone", this);

        private Tensor InPlace(string name, params ReadOnlySpan<Arg> arguments)
        {
            Aten.Do(name, arguments);
            return this;
        }
    }
}
