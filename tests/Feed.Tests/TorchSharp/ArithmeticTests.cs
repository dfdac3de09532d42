using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class ArithmeticTests
{
    [Fact]
    public void Operators_OfTensorsAndNumbers()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, -2f, 3f });
        var b = tensor(new[] { 4f, 5f, -6f });
        TensorAssert.Close([5, 3, -3], a + b);
        TensorAssert.Close([-3, -7, 9], a - b);
        TensorAssert.Close([4, -10, -18], a * b);
        TensorAssert.Close([0.25, -0.4, -0.5], a / b);
        TensorAssert.Close([3, 0, 5], a + 2);
        TensorAssert.Close([1, 4, -1], 2 - a);
        TensorAssert.Close([0.5, -1, 1.5], a * 0.5);
        TensorAssert.Close([6, -3, 2], 6 / a);
        TensorAssert.Close([-1, 2, -3], -a);
        TensorAssert.Close([1, 1, 0], a % 3);
    }

    [Fact]
    public void Operators_PromoteTypes()
    {
        using var scope = NewDisposeScope();
        var whole = tensor(new long[] { 1, 2 });
        Assert.Equal(ScalarType.Int64, (whole + 1).dtype);
        Assert.Equal(ScalarType.Float32, (whole + 0.5).dtype);
        Assert.Equal(ScalarType.Float32, (whole / 2).dtype);
        Assert.Equal(ScalarType.Float32, (whole + ones(2)).dtype);
        Assert.Equal(ScalarType.BFloat16, (ones(2, dtype: bfloat16) * 2.0).dtype);
    }

    [Fact]
    public void Comparisons_AreElementwise()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, 2f, 3f });
        var b = tensor(new[] { 3f, 2f, 1f });
        TensorAssert.Close([0, 1, 0], a == b);
        TensorAssert.Close([1, 0, 1], a != b);
        TensorAssert.Close([1, 0, 0], a < b);
        TensorAssert.Close([0, 1, 1], a >= 2);
        TensorAssert.Close([1, 1, 0], ~(a > 2));
        TensorAssert.Close([0, 1, 0], (a >= 2) & (b >= 2));
    }

    [Fact]
    public void InPlace_ChangesTheTensorAndReturnsIt()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, 2f });
        Assert.Same(a, a.add_(1));
        Assert.Same(a, a.mul_(tensor(new[] { 2f, 3f })));
        a.sub_(1).div_(2);
        TensorAssert.Close([1.5, 4], a);
        a.add_(ones(2), alpha: 0.5);
        TensorAssert.Close([2, 4.5], a);
        a.addcmul_(ones(2), full(2, 2.0), 3);
        TensorAssert.Close([8, 10.5], a);
        a.addcdiv_(ones(2), full(2, 2.0), -1);
        TensorAssert.Close([7.5, 10], a);
        a.zero_();
        TensorAssert.Close([0, 0], a);
        a.fill_(3).copy_(tensor(new[] { 5f, 6f }));
        TensorAssert.Close([5, 6], a);
    }

    [Fact]
    public void Pointwise_Values()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0.5, -1.5, 2.0 });
        Check(x.abs(), Math.Abs, nameof(abs));
        Check(x.exp(), Math.Exp, nameof(exp));
        Check(x.sin(), Math.Sin, nameof(sin));
        Check(x.cos(), Math.Cos, nameof(cos));
        Check(x.tanh(), Math.Tanh, nameof(tanh));
        Check(x.sigmoid(), v => 1 / (1 + Math.Exp(-v)), nameof(sigmoid));
        Check(x.square(), v => v * v, nameof(square));
        Check(x.pow(3), v => v * v * v, nameof(pow));
        Check(x.sign(), v => Math.Sign(v), nameof(sign));
        Check(x.floor(), Math.Floor, nameof(floor));
        Check(x.clamp(-1, 1), v => Math.Clamp(v, -1, 1), nameof(clamp));
        Check(x.abs().rsqrt(), v => 1 / Math.Sqrt(Math.Abs(v)), nameof(rsqrt));
        Check(x.abs().log(), v => Math.Log(Math.Abs(v)), nameof(log));
        Check(nn.functional.silu(x), v => v / (1 + Math.Exp(-v)), "silu");
        Check(nn.functional.relu(x), v => Math.Max(v, 0), "relu");
        Check(x.div(0.5, RoundingMode.floor), v => Math.Floor(v / 0.5), "div floor");

        void Check(Tensor actual, Func<double, double> expected, string name) =>
            TensorAssert.Close([expected(0.5), expected(-1.5), expected(2.0)], actual, 1e-12, name);
    }

    [Fact]
    public void Finiteness_IsTold()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity });
        TensorAssert.Close([1, 0, 0, 0], isfinite(x));
        TensorAssert.Close([0, 1, 0, 0], x.isnan());
        TensorAssert.Close([0, 0, 1, 1], isinf(x));
        Assert.False(isfinite(x).all().item<bool>());
    }

    [Fact]
    public void Allclose_AndEquals()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, 2f });
        Assert.True(a.allclose(a + 1e-7));
        Assert.False(a.allclose(a + 1e-2));
        Assert.True(a.Equals(a.clone()));
        Assert.False(a.Equals(a + 1e-6));
        TensorAssert.Close([1, 0], a.equal(tensor(new[] { 1f, 3f })));
    }

    [Fact]
    public void Scalar_KeepsKindAndValue()
    {
        Scalar whole = 3, fraction = 0.5, truth = true;
        Assert.Equal(ScalarType.Int64, whole.Type);
        Assert.Equal(ScalarType.Float64, fraction.Type);
        Assert.Equal(ScalarType.Bool, truth.Type);
        Assert.Equal(3, whole.ToInt32());
        Assert.Equal(0.5, fraction.ToDouble());
        Assert.True(truth.ToBoolean());
    }
}
