using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Trainer;

[Collection(TorchCollection.Name)]
public class TrainingLoopTests
{
    private static readonly TrainingRecipe Recipe = new()
    {
        Batch = 4,
        Sequence = 8,
        Steps = 150,
        LearningRate = 1e-2,
        WarmupSteps = 5,
        WeightDecay = 0,
    };

    private static TrainingLoop Create(string twin, TrainingRecipe recipe, BatchSource? source = null) =>
        new(Models.Create(Models.Of(twin)), recipe, source ?? Models.Source(), Models.Cpu);

    public static TheoryData<string> Twins => [.. Twin.Names];

    [Theory]
    [MemberData(nameof(Twins))]
    public void Advance_LearnsOneBatchByHeart(string twin)
    {
        var source = Models.Source();
        using var loop = Create(twin, Recipe, (_, inputs, targets) =>
        {
            source(0, inputs, targets);
            targets.Reverse(); // nothing to generalise: only memory helps
            for (int row = 0; row < Recipe.Batch; row++)
            {
                inputs[row * Recipe.Sequence] = row; // no two rows begin alike
            }
        });
        double first = loop.Advance().Loss, last = 0;
        while (loop.Step < Recipe.Steps)
        {
            last = loop.Advance().Loss;
        }
        Assert.True(last < 0.1, $"loss {first:0.000} at first, {last:0.000} after {Recipe.Steps} steps on one batch");
    }

    [Fact]
    public void Advance_AccumulationEqualsALargerBatch()
    {
        using var scope = NewDisposeScope();
        using var whole = Create(Twin.MlaDense, Recipe with { Batch = 4 });
        using var parts = Create(Twin.MlaDense, Recipe with { Batch = 2, Accumulation = 2 }, (index, inputs, targets) =>
        {
            var all = new long[2 * inputs.Length];
            var allTargets = new long[2 * inputs.Length];
            Models.Source()(index / 2, all, allTargets);
            int offset = (int)(index % 2) * inputs.Length;
            all.AsSpan(offset, inputs.Length).CopyTo(inputs);
            allTargets.AsSpan(offset, inputs.Length).CopyTo(targets);
        });
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(whole.Advance().Loss, parts.Advance().Loss, 5);
        }
        foreach (var ((name, a), (_, b)) in whole.Model.named_parameters().Zip(parts.Model.named_parameters()))
        {
            Models.AssertClose(name, a, b, 2e-4);
        }
    }

    [Fact]
    public void Advance_DecaysMatricesOnly()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaDense, Recipe with { WeightDecay = 0.5, LearningRate = 1e-12 });
        var decay = loop.Optimizer.ParamGroups.Cast<TorchSharp.Modules.AdamW.ParamGroup>()
            .SelectMany(g => g.Parameters.Select(p => (Dims: p.dim(), Decay: ((TorchSharp.Modules.AdamW.Options)g.Options).weight_decay)));
        Assert.All(decay, p => Assert.Equal(p.Dims > 1 ? 0.5 : 0.0, p.Decay));
    }

    [Fact]
    public void Advance_NamesTheWeightBehindANonFiniteLoss()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaMoE, Recipe);
        loop.Advance();
        using (no_grad())
        {
            loop.Model.get_parameter("layers.1.self_attn.o_proj.weight")!.fill_(float.NaN);
        }
        var error = Assert.Throws<NonFiniteException>(() => loop.Advance());
        Assert.Contains("step 1: the loss is NaN; the first bad weight is model.layers.1.self_attn.o_proj.weight", error.Message);
    }

    [Fact]
    public void Advance_NamesTheLayerBehindAnOverflow()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaDense, Recipe);
        using (no_grad())
        {
            loop.Model.get_parameter("layers.0.mlp.down_proj.weight")!.fill_(3e38f);
        }
        var error = Assert.Throws<NonFiniteException>(() => loop.Advance());
        Assert.Contains("the first bad activation is the output of model.layers.0.mlp", error.Message);
    }

    [Fact]
    public void RequireFinite_NamesTheWeight()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaMoE, Recipe);
        loop.RequireFinite();
        using (no_grad())
        {
            loop.Model.get_parameter("layers.0.mlp.experts.down_proj")!.narrow(0, 4, 1).fill_(double.PositiveInfinity);
        }
        Assert.Contains("model.layers.0.mlp.experts.4.down_proj.weight", Assert.Throws<NonFiniteException>(loop.RequireFinite).Message);
    }

    [Fact]
    public void Advance_NamesTheGradientThatIsNotFinite()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaDense, Recipe);
        using (no_grad())
        {
            // The loss is finite, and so is every activation; the gradient of the first norm is their product with this.
            loop.Model.get_parameter("layers.0.input_layernorm.weight")!.fill_(1e-30f);
            loop.Model.get_parameter("layers.0.self_attn.q_proj.weight")!.fill_(1e38f);
            loop.Model.get_parameter("layers.0.self_attn.o_proj.weight")!.fill_(1e10f);
            loop.Model.get_parameter("layers.0.self_attn.kv_b_proj.weight")!.fill_(1e20f);
        }
        var before = loop.Model.get_parameter("layers.1.mlp.down_proj.weight")!.clone();
        var error = Assert.Throws<NonFiniteException>(() => loop.Advance());
        Assert.Contains("step 0: the gradient norm is ", error.Message);
        Models.AssertClose("a weight after the step that was refused", before, loop.Model.get_parameter("layers.1.mlp.down_proj.weight")!, 0);
    }

    [Theory]
    [InlineData("exp_avg", double.NaN, "the update left a NaN or an infinity in model.layers.1.self_attn.o_proj.weight")]
    [InlineData("exp_avg", double.PositiveInfinity, "the update left a NaN or an infinity in model.layers.1.self_attn.o_proj.weight")]
    [InlineData("exp_avg_sq", double.NaN, "the update left a NaN or an infinity in model.layers.1.self_attn.o_proj.weight")]
    public void Advance_NamesTheWeightThatAnUpdateRuins(string moment, double value, string expected)
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaMoE, Recipe);
        loop.Advance();
        Moment(loop, "layers.1.self_attn.o_proj.weight", moment).fill_(value);
        Assert.Contains($"step 1: {expected}", Assert.Throws<NonFiniteException>(() => loop.Advance()).Message);
    }

    [Fact]
    public void RequireFinite_SeesASquaredMomentThatStopsItsWeight()
    {
        using var scope = NewDisposeScope();
        using var loop = Create(Twin.MlaMoE, Recipe);
        loop.Advance();
        Moment(loop, "layers.1.self_attn.o_proj.weight", "exp_avg_sq").fill_(double.PositiveInfinity);
        loop.Advance(); // the weight stands still; nothing else shows
        Assert.Contains("AdamW's mean of the squared gradients of model.layers.1.self_attn.o_proj.weight", Assert.Throws<NonFiniteException>(loop.RequireFinite).Message);
    }

    private static Tensor Moment(TrainingLoop loop, string weight, string moment)
    {
        var (_, state) = loop.Parameters.Zip(TrainerState.States(loop)).First(p => p.First.name == weight);
        return moment == "exp_avg" ? state.exp_avg : state.exp_avg_sq;
    }

    [Fact]
    public void Advance_ReportsLoadsOfEveryMixture()
    {
        using var loop = Create(Twin.MlaMoE, Recipe);
        var result = loop.Advance();
        Assert.Equal([0, 1], result.Loads.Select(l => l.Layer));
        Assert.All(result.Loads, l => Assert.InRange(l.MaxOverMean, 1.0, 6.0));
    }

    [Fact]
    public void Advance_LeaksNoTensors()
    {
        using var loop = Create(Twin.MlaMoE, Recipe);
        loop.Advance();
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        loop.Advance();
        loop.Advance();
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }
}
