using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class AdamWTests
{
    [Theory]
    [InlineData(ScalarType.Float64, 0.0, false)]
    [InlineData(ScalarType.Float64, 0.1, false)]
    [InlineData(ScalarType.Float64, 0.1, true)]
    [InlineData(ScalarType.Float32, 0.1, false)]
    [InlineData(ScalarType.Float32, 0.1, true)]
    public void Step_FollowsTheFormula(ScalarType type, double decay, bool amsgrad)
    {
        const int Count = 37;
        const double Rate = 0.01, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6;
        double tolerance = type == ScalarType.Float64 ? 1e-12 : 2e-6;
        double[] values = [.. Enumerable.Range(0, Count).Select(i => i / 10.0 - 1.5)];
        double[] mean = new double[Count], square = new double[Count], greatest = new double[Count];
        using var parameter = nn.Parameter(tensor(values, dtype: type));
        using var optimizer = optim.AdamW([parameter], Rate, Beta1, Beta2, Epsilon, decay, amsgrad);
        for (int step = 1; step <= 5; step++)
        {
            double[] grads = [.. Enumerable.Range(0, Count).Select(i => (i % 3 - 1) * 0.3 * step + i * 0.01)];
            using var grad = tensor(grads, dtype: type);
            parameter.grad = grad;
            optimizer.step();
            for (int i = 0; i < Count; i++)
            {
                values[i] *= 1 - Rate * decay;
                mean[i] = Beta1 * mean[i] + (1 - Beta1) * grads[i];
                square[i] = Beta2 * square[i] + (1 - Beta2) * grads[i] * grads[i];
                greatest[i] = amsgrad ? Math.Max(greatest[i], square[i]) : square[i];
                double denominator = Math.Sqrt(greatest[i]) / Math.Sqrt(1 - Math.Pow(Beta2, step)) + Epsilon;
                values[i] -= Rate / (1 - Math.Pow(Beta1, step)) * mean[i] / denominator;
            }
            TensorAssert.Close(values, parameter, tolerance, $"parameter after step {step}");
        }
        var state = (AdamW.State)optimizer.state_dict().State[0];
        TensorAssert.Close(mean, state.exp_avg, tolerance, "exp_avg");
        TensorAssert.Close(square, state.exp_avg_sq, tolerance, "exp_avg_sq");
    }

    [Fact]
    public void Step_TakesAGradientOfOtherStrides()
    {
        using var scope = NewDisposeScope();
        var grad = tensor(new[] { 1f, 2f, 3f, -4f, -5f, -6f }, [2, 3]).T;
        var one = nn.Parameter(ones(3, 2));
        var two = nn.Parameter(ones(3, 2));
        one.grad = grad;
        two.grad = grad.contiguous();
        optim.AdamW([one], lr: 0.1).step();
        optim.AdamW([two], lr: 0.1).step();
        TensorAssert.Equal(two, one, "parameter");
        TensorAssert.Close([0.9, 1.1, 0.9, 1.1, 0.9, 1.1], one, 1e-5);
    }

    [Fact]
    public void Defaults_HaveNoDecay()
    {
        using var parameter = nn.Parameter(ones(1));
        using var optimizer = optim.AdamW([parameter]);
        var options = Assert.IsType<AdamW.Options>(Assert.Single(optimizer.state_dict().Options));
        Assert.Equal(0, options.weight_decay);
        Assert.Equal(1e-3, options.LearningRate);
        Assert.Equal((0.9, 0.999), optimizer.Betas);
        Assert.Equal(1e-8, options.eps);
    }

    [Fact]
    public void Step_SkipsParametersWithoutGradient()
    {
        using var idle = nn.Parameter(ones(1));
        using var busy = nn.Parameter(ones(1));
        using var optimizer = optim.AdamW([idle, busy], lr: 0.1, weight_decay: 0.5);
        using var grad = ones(1);
        busy.grad = grad;
        optimizer.step();
        Assert.Equal(1f, idle.item<float>());
        Assert.NotEqual(1f, busy.item<float>());
        var states = optimizer.state_dict().State.Cast<AdamW.State>().ToArray();
        Assert.Equal([0L, 1L], states.Select(state => state.step));
    }

    [Fact]
    public void Groups_HaveTheirOwnOptions()
    {
        using var decayed = nn.Parameter(ones(1));
        using var plain = nn.Parameter(ones(1));
        AdamW.ParamGroup[] groups =
        [
            new([decayed], new AdamW.Options { weight_decay = 0.5 }), new([plain], new AdamW.Options { weight_decay = 0 }),
        ];
        using var optimizer = optim.AdamW(groups, lr: 0.1);
        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = 0.2;
        using var zero = zeros(1);
        decayed.grad = zero;
        plain.grad = zero;
        optimizer.step();
        TensorAssert.Close([0.9], decayed);
        TensorAssert.Close([1.0], plain);
        Assert.All(optimizer.ParamGroups, group => Assert.Equal(0.1, group.InitialLearningRate));
    }

    [Fact]
    public void ZeroGrad_SetsGradientsToZero()
    {
        using var parameter = nn.Parameter(ones(2));
        using var optimizer = optim.AdamW([parameter]);
        using var grad = ones(2);
        parameter.grad = grad;
        optimizer.zero_grad();
        TensorAssert.Close([0, 0], parameter.grad!);
    }

    [Fact]
    public void State_SavedAndLoaded_ContinuesExactly()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        var (parameter, optimizer) = Trained(steps: 3);
        var (copy, other) = Trained(steps: 0);
        using (no_grad())
            copy.copy_(parameter);
        var writer = new BinaryWriter(stream);
        optimizer.save_state_dict(writer);
        writer.Flush();
        stream.Position = 0;
        other.load_state_dict(new BinaryReader(stream));
        for (int step = 3; step < 6; step++)
        {
            Step(parameter, optimizer, step);
            Step(copy, other, step);
        }
        TensorAssert.Equal(parameter, copy, "parameter");
        Assert.Equal(6, ((AdamW.State)other.state_dict().State[0]).step);
    }

    [Fact]
    public void State_CanBeSetTensorByTensor()
    {
        using var scope = NewDisposeScope();
        var (parameter, optimizer) = Trained(steps: 3);
        var (copy, other) = Trained(steps: 0);
        var source = (AdamW.State)optimizer.state_dict().State[0];
        var target = (AdamW.State)other.state_dict().State[0];
        using (no_grad())
            copy.copy_(parameter);
        target.step = source.step;
        target.exp_avg.copy_(source.exp_avg);
        target.exp_avg_sq.copy_(source.exp_avg_sq);
        Step(parameter, optimizer, 3);
        Step(copy, other, 3);
        TensorAssert.Equal(parameter, copy, "parameter");
    }

    private static (Parameter, AdamW) Trained(int steps)
    {
        var parameter = nn.Parameter(linspace(-1, 1, 20));
        var optimizer = optim.AdamW([parameter], lr: 0.05, weight_decay: 0.1);
        for (int step = 0; step < steps; step++)
            Step(parameter, optimizer, step);
        return (parameter, optimizer);
    }

    private static void Step(Parameter parameter, AdamW optimizer, int step)
    {
        optimizer.zero_grad();
        (parameter * parameter * (step + 1)).sum().backward();
        optimizer.step();
    }
}
