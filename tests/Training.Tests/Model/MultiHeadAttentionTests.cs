using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class MultiHeadAttentionTests
{
    private static MultiHeadAttention Create(ModelConfig config)
    {
        manual_seed(4);
        var rotary = new RotaryEmbedding(config.RopeDim, config.MaxPositionEmbeddings, config.RopeTheta, config.RopeInterleave, ScalarType.Float64);
        return new MultiHeadAttention(config, rotary, ScalarType.Float64);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void Forward_GradientIsThatOfFiniteDifferences(int keyHeads)
    {
        using var scope = NewDisposeScope();
        using var attention = Create(Models.Of(Twin.MhaDense) with { NumKeyValueHeads = keyHeads });
        var x = randn([2, 7, 16], dtype: ScalarType.Float64).requires_grad_();
        var probe = randn(x.shape, dtype: ScalarType.Float64);
        Gradients.Check(() => (attention.call(x) * probe).sum(), [("x", x), .. attention.named_parameters().Select(p => (p.name, (Tensor)p.parameter))]);
    }

    [Fact]
    public void Forward_SeesNoLaterToken()
    {
        using var scope = NewDisposeScope();
        using var attention = Create(Models.Of(Twin.MhaDense));
        var x = randn([1, 8, 16], dtype: ScalarType.Float64);
        var changed = x.clone();
        changed.select(1, 5).add_(1.0);
        Tensor before = attention.call(x), after = attention.call(changed);
        Models.AssertClose("positions 0 to 4", before.narrow(1, 0, 5), after.narrow(1, 0, 5), 0);
        Assert.True((before.narrow(1, 5, 3) - after.narrow(1, 5, 3)).abs().max().item<double>() > 1e-3, "positions 5 to 7 must see the change");
    }

    [Fact]
    public void Forward_SharedKeyHeadEqualsEqualKeyHeads()
    {
        using var scope = NewDisposeScope();
        var config = Models.Of(Twin.MhaDense);
        using var shared = Create(config with { NumKeyValueHeads = 1 });
        using var own = Create(config);
        var source = shared.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        using (no_grad())
        {
            foreach (var (name, target) in own.named_parameters())
            {
                var weight = source[name];
                target.copy_(weight.shape[0] == target.shape[0] ? weight : cat([weight, weight], 0));
            }
        }
        var x = randn([2, 6, 16], dtype: ScalarType.Float64);
        Models.AssertClose("attention", own.call(x), shared.call(x), 1e-12);
    }
}
