using LatentMoE.Training.Model;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Trainer;

[Collection(TorchCollection.Name)]
public class LoadBalancerTests
{
    // Tokens that lean to one side, so that unbalanced routers prefer some experts.
    private static Tensor Skewed() => randn([256, 16]) + linspace(-1.5, 1.5, 16);

    private static double MaxLoadAfter(double rate, int rounds)
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent, seed: 11);
        var gate = model.Mixtures.First().MoE.Gate;
        model.train();
        var tokens = Skewed();
        double load = 0;
        for (int i = 0; i < rounds; i++)
        {
            using var step = NewDisposeScope();
            gate.call(tokens);
            load = LoadBalancer.Update(model, rate)[0].MaxOverMean;
        }
        return load;
    }

    [Fact]
    public void Update_MakesLoadsEven()
    {
        double before = MaxLoadAfter(0.02, 1), after = MaxLoadAfter(0.02, 100), reversed = MaxLoadAfter(-0.02, 100);
        Assert.True(before > 1.5, $"the test needs uneven loads to begin with; max over mean is {before:0.00}");
        Assert.True(after < 1.25, $"max over mean is {after:0.00} after balancing, {before:0.00} before");
        Assert.True(reversed > before, $"with the sign reversed, max over mean must grow: {reversed:0.00}, {before:0.00} before");
    }

    [Fact]
    public void Update_MovesBiasesByTheRateAndClearsTheCounts()
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent);
        var gate = model.Mixtures.First().MoE.Gate;
        gate.Load.copy_(tensor(new float[] { 10, 0, 4, 4, 4, 2 }));
        LoadBalancer.Update(model, 0.001);
        Assert.Equal([-0.001f, 0.001f, 0f, 0f, 0f, 0.001f], gate.Bias.data<float>().ToArray());
        Assert.Equal(0, gate.Load.sum().item<float>());
    }

    [Fact]
    public void ExpertLoad_Of()
    {
        var even = ExpertLoad.Of(3, [5f, 5f, 5f, 5f]);
        Assert.Equal((3, 1.0, 1.0, 0), (even.Layer, even.MaxOverMean, Math.Round(even.Entropy, 12), even.Dead));
        var one = ExpertLoad.Of(0, [0f, 8f, 0f, 0f]);
        Assert.Equal((4.0, 0.0, 3), (one.MaxOverMean, one.Entropy, one.Dead));
    }
}
