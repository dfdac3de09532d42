using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class RouterTests
{
    private static Router Create(ModelConfig config)
    {
        manual_seed(5);
        return new Router(config, ScalarType.Float64);
    }

    private static Tensor Scores(Router router, Tensor x, ModelConfig config)
    {
        var logits = x.matmul(router.Weight.detach().t());
        return config.ScoringFunc == "softmax" ? logits.softmax(-1) : logits.sigmoid();
    }

    [Theory]
    [InlineData("sigmoid", true, 1.0)]
    [InlineData("sigmoid", false, 2.5)]
    [InlineData("softmax", false, 1.0)]
    public void Forward_WeightsAreScoresOfTheChosen(string scoring, bool normalised, double factor)
    {
        using var scope = NewDisposeScope();
        var config = Models.Latent with { ScoringFunc = scoring, NormTopkProb = normalised, RoutedScalingFactor = factor };
        using var router = Create(config);
        var x = randn([10, 16], dtype: ScalarType.Float64);
        var routing = router.call(x);
        var chosen = Scores(router, x, config).gather(1, routing.Experts);
        var expected = (normalised ? chosen / chosen.sum(-1, keepdim: true) : chosen) * factor;
        Models.AssertClose("weights", expected, routing.Weights, 1e-9);
    }

    [Fact]
    public void Forward_BiasAffectsTheChoiceOnly()
    {
        using var scope = NewDisposeScope();
        var config = Models.Latent with { NormTopkProb = false };
        using var router = Create(config);
        var x = randn([50, 16], dtype: ScalarType.Float64);
        using (no_grad())
        {
            router.Bias[3] = 10;
        }
        var routing = router.call(x);
        Assert.True(routing.Experts.eq(3).any(-1).all().item<bool>(), "expert 3 has a bias of 10, so every token must choose it");
        Models.AssertClose("weights", Scores(router, x, config).gather(1, routing.Experts), routing.Weights, 1e-12);
        Assert.DoesNotContain(router.named_parameters(), p => p.name.Contains("bias"));
    }

    [Fact]
    public void Forward_GroupsLimitTheChoice()
    {
        using var scope = NewDisposeScope();
        var config = (Models.Latent with { NGroup = 3, TopkGroup = 1 }).Validated("test");
        using var router = Create(config);
        var x = randn([40, 16], dtype: ScalarType.Float64);
        long[] chosen = router.call(x).Experts.contiguous().data<long>().ToArray();
        double[] scores = Scores(router, x, config).contiguous().data<double>().ToArray();
        for (int t = 0; t < 40; t++)
        {
            // Groups of two experts: the best group is the one with the largest sum, and both of its experts are taken.
            int best = Enumerable.Range(0, 3).MaxBy(g => scores[t * 6 + 2 * g] + scores[t * 6 + 2 * g + 1]);
            Assert.Equal([2 * best, 2 * best + 1], chosen[(2 * t)..(2 * t + 2)].Order());
        }
    }

    [Fact]
    public void Forward_GroupLimitedGreedyCountsTheBestExpertOfAGroup()
    {
        using var scope = NewDisposeScope();
        var config = (Models.Latent with { NGroup = 3, TopkGroup = 1, TopkMethod = "group_limited_greedy", ScoringFunc = "softmax" }).Validated("test");
        using var router = Create(config);
        var x = randn([40, 16], dtype: ScalarType.Float64);
        long[] chosen = router.call(x).Experts.contiguous().data<long>().ToArray();
        long[] best = Scores(router, x, config).argmax(-1).data<long>().ToArray();
        Assert.All(Enumerable.Range(0, 80), i => Assert.Equal(best[i / 2] / 2, chosen[i] / 2));
    }

    [Fact]
    public void Forward_CountsLoadsInTrainingModeOnly()
    {
        using var scope = NewDisposeScope();
        using var router = Create(Models.Latent);
        var x = randn([10, 16], dtype: ScalarType.Float64);
        router.eval();
        router.call(x);
        Assert.Equal(0, router.Load.sum().item<float>());
        router.train();
        var routing = router.call(x);
        Assert.Equal(20, router.Load.sum().item<float>());
        Assert.Equal(routing.Experts.eq(2).sum().item<long>(), (long)router.Load[2].item<float>());
    }
}
