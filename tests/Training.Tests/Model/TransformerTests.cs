using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class TransformerTests
{
    public static TheoryData<string> Twins => [.. Twin.Names];

    [Theory]
    [MemberData(nameof(Twins))]
    public void Loss_ReachesEveryParameter(string twin)
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Of(twin));
        var ids = tensor(Models.Ids(4, 12), [4, 12]);
        model.Loss(ids, ids).backward();
        Assert.All(model.named_parameters(), p => Assert.True(p.parameter.grad is { } grad && grad.abs().sum().item<float>() > 0, $"{p.name}: no gradient"));
    }

    [Theory]
    [MemberData(nameof(Twins))]
    public void Parameters_AreAsManyAsModelSizeCounts(string twin)
    {
        using var model = Models.Create(Models.Of(twin));
        long parameters = model.parameters().Sum(p => p.numel()) + model.Mixtures.Sum(m => m.MoE.Gate.Bias.numel());
        Assert.Equal(ModelSize.Of(model.Config).TotalParameters, parameters);
    }

    [Fact]
    public void Loss_IsTheNegativeLogLikelihood()
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent, dtype: ScalarType.Float64);
        var ids = tensor(Models.Ids(2, 6), [2, 6]);
        long[] targets = Models.Ids(2, 6, seed: 2);
        var logits = model.call(ids).flatten(0, 1);
        double expected = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            expected += (logits[i].exp().sum().log() - logits[i, targets[i]]).item<double>() / targets.Length;
        }
        Assert.Equal(expected, model.Loss(ids, tensor(targets, [2, 6])).item<double>(), 10);
    }

    [Fact]
    public void Forward_LogitsSeeNoLaterToken()
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Latent, dtype: ScalarType.Float64);
        model.eval();
        long[] ids = Models.Ids(1, 10), changed = [.. ids];
        changed[7] = (changed[7] + 1) % Models.Vocabulary;
        Tensor before = model.call(tensor(ids, [1, 10])), after = model.call(tensor(changed, [1, 10]));
        Models.AssertClose("logits 0 to 6", before.narrow(1, 0, 7), after.narrow(1, 0, 7), 1e-12);
    }

    [Fact]
    public void ComputeType_Bf16StaysNearFloat32()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Models.Create(Models.Of(Twin.MlaDense));
        var ids = tensor(Models.Ids(2, 12), [2, 12]);
        var exact = model.call(ids);
        model.ComputeType = ScalarType.BFloat16;
        var rounded = model.call(ids);
        Assert.Equal(ScalarType.BFloat16, rounded.dtype);
        Models.AssertClose("logits", exact, rounded, 0.05 * exact.abs().max().item<float>());
    }

    [Fact]
    public void Dropout_ActsInTrainingModeOnly()
    {
        using var scope = NewDisposeScope();
        using var model = Models.Create(Models.Of(Twin.MlaDense), dropout: 0.5);
        var ids = tensor(Models.Ids(2, 12), [2, 12]);
        model.eval();
        Models.AssertClose("logits in evaluation mode", model.call(ids), model.call(ids), 0);
        model.train();
        Assert.True((model.call(ids) - model.call(ids)).abs().max().item<float>() > 1e-3, "two draws of dropout must differ");
    }

    [Fact]
    public void Constructor_SameSeedSameWeights()
    {
        using var scope = NewDisposeScope();
        using Transformer a = Models.Create(Models.Latent, seed: 9), b = Models.Create(Models.Latent, seed: 9), c = Models.Create(Models.Latent, seed: 10);
        foreach (var ((name, x), (_, y)) in a.named_parameters().Zip(b.named_parameters()))
        {
            Models.AssertClose(name, x, y, 0);
        }
        Assert.NotEqual(a.parameters().First().sum().item<float>(), c.parameters().First().sum().item<float>());
    }
}
