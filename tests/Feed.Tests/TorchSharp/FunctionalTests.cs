using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class FunctionalTests
{
    [Fact]
    public void CrossEntropy_Reductions()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { 1.0, 2.0, 3.0, 0.0, 0.0, 0.0 }, [2, 3]);
        var target = tensor(new long[] { 2, 0 });
        double first = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3)) - 3, second = Math.Log(3);
        TensorAssert.Close([first, second], functional.cross_entropy(logits, target, reduction: Reduction.None), 1e-12);
        TensorAssert.Close([first + second], functional.cross_entropy(logits, target, reduction: Reduction.Sum), 1e-12);
        TensorAssert.Close([(first + second) / 2], functional.cross_entropy(logits, target), 1e-12);
        TensorAssert.Close([(first + second) / 2], functional.nll_loss(logits.log_softmax(-1), target), 1e-12);
        TensorAssert.Close([second], functional.cross_entropy(logits, tensor(new long[] { -100, 0 })), 1e-12);
    }

    [Fact]
    public void Normalize_DividesByTheNorm()
    {
        using var scope = NewDisposeScope();
        TensorAssert.Close([0.6, 0.8], functional.normalize(tensor(new[] { 3f, 4f }, [1, 2])));
    }

    [Fact]
    public void Init_Distributions()
    {
        using var scope = NewDisposeScope();
        manual_seed(11);
        var x = empty(100, 100, requires_grad: true);
        Assert.Same(x, init.normal_(x, 1, 0.5));
        Assert.InRange(x.mean().item<float>(), 0.97f, 1.03f);
        Assert.InRange(x.std().item<float>(), 0.48f, 0.52f);
        init.uniform_(x, -1, 1);
        Assert.InRange(x.abs().max().item<float>(), 0.99f, 1f);
        init.constant_(x, 0.5);
        Assert.Equal(5000f, x.sum().item<float>());
        init.xavier_uniform_(x);
        Assert.InRange(x.abs().max().item<float>(), 0.17f, 0.1733f);
        Assert.True(x.requires_grad && x.is_leaf);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(10.0)]
    public void ClipGradNorm_BoundsTheWholeNorm(double bound)
    {
        using var scope = NewDisposeScope();
        var a = nn.Parameter(zeros(2));
        var b = nn.Parameter(zeros(1));
        var without = nn.Parameter(zeros(1));
        a.grad = tensor(new[] { 2f, 3f });
        b.grad = tensor(new[] { 6f });
        double norm = nn.utils.clip_grad_norm_([a, b, without], bound);
        Assert.Equal(7, norm, 6);
        double scale = Math.Min(1, bound / 7);
        TensorAssert.Close([2 * scale, 3 * scale], a.grad!, 1e-5);
        TensorAssert.Close([6 * scale], b.grad!, 1e-5);
    }
}
