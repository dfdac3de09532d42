using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Feed.Tests.Torch;

[Collection(TorchCollection.Name)]
public class ModuleTests
{
    [Fact]
    public void NamedParameters_OfFieldsSubmodulesAndLists()
    {
        using var model = new Toy();
        string[] expected =
        [
            "scale", "first.weight", "first.bias", "layers.0.weight", "layers.1.weight", "last.weight",
        ];
        Assert.Equal(expected, model.named_parameters().Select(item => item.name));
        Assert.Equal(["offset"], model.named_buffers().Select(item => item.name));
        Assert.Equal(["first", "layers", "last"], model.named_children().Select(item => item.name));
        Assert.Equal(["scale"], model.named_parameters(recurse: false).Select(item => item.name));
        Assert.Equal(expected.Append("offset").Order(), model.state_dict().Keys.Order());
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Parameter_TakesTheTensorOver()
    {
        var data = ones(2);
        using var parameter = nn.Parameter(data);
        Assert.True(data.IsInvalid);
        Assert.True(parameter.requires_grad);
        using var frozen = nn.Parameter(zeros(2), requires_grad: false);
        Assert.False(frozen.requires_grad);
    }

    [Fact]
    public void Call_RunsForward()
    {
        using var scope = NewDisposeScope();
        using var model = new Toy();
        var x = randn(3, 4);
        var expected = nn.functional.linear(
            nn.functional.linear(nn.functional.linear(nn.functional.linear(x, model.First.weight, model.First.bias), model.Layer(0).weight),
                model.Layer(1).weight), model.Last.weight);
        TensorAssert.Equal(expected * model.Scale, model.call(x), "output");
    }

    [Fact]
    public void TrainEval_ReachesSubmodules()
    {
        using var model = new Toy();
        Assert.True(model.training);
        model.eval();
        Assert.False(model.training);
        Assert.All(model.modules(), module => Assert.False(module.training));
        model.train();
        Assert.All(model.modules(), module => Assert.True(module.training));
    }

    [Fact]
    public void StateDict_RoundTrip()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var source = new Toy();
        using var target = new Toy();
        var values = source.state_dict().ToDictionary(item => item.Key, item => item.Value.clone());
        target.load_state_dict(values);
        foreach (var (name, value) in target.state_dict())
            TensorAssert.Equal(values[name], value, name);
        values.Remove("scale");
        Assert.Throws<InvalidOperationException>(() => target.load_state_dict(values));
        var (missing, unexpected) = target.load_state_dict(values, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Empty(unexpected);
    }

    [Fact]
    public void To_ChangesTypeInFieldsAndRegistry()
    {
        using var scope = NewDisposeScope();
        using var model = new Toy().to(bfloat16);
        Assert.All(model.parameters(), parameter => Assert.Equal(bfloat16, parameter.dtype));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
        Assert.Equal(bfloat16, model.First.weight.dtype);
        Assert.Equal(bfloat16, model.Scale.dtype);
        Assert.Equal(ScalarType.Int64, model.Offset.dtype);
        Assert.Equal(bfloat16, model.call(ones(1, 4, dtype: bfloat16)).dtype);
        Assert.Throws<ArgumentException>(() => model.to(ScalarType.Int32));
    }

    [Fact]
    public void ZeroGrad_DropsGradients()
    {
        using var scope = NewDisposeScope();
        using var model = new Toy();
        model.call(ones(1, 4)).sum().backward();
        Assert.All(model.parameters(), parameter => Assert.NotNull(parameter.grad));
        model.zero_grad();
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public void Register_Twice_Throws()
    {
        using var model = new Toy();
        using var again = zeros(1);
        Assert.Throws<InvalidOperationException>(() => model.register_buffer("offset", again));
        Assert.Throws<InvalidOperationException>(() => model.register_module("first", nn.Linear(1, 1)));
    }

    [Fact]
    public void Linear_InitialValuesAreBounded()
    {
        manual_seed(5);
        using var linear = nn.Linear(100, 50);
        TensorAssert.Shape(linear.weight, 50, 100);
        TensorAssert.Shape(linear.bias!, 50);
        float greatest = linear.weight.abs().max().item<float>();
        Assert.InRange(greatest, 0.09f, 0.1f);
        using var unbiased = nn.Linear(4, 2, hasBias: false);
        Assert.Null(unbiased.bias);
        Assert.Single(unbiased.parameters());
    }

    [Fact]
    public void Embedding_LooksUpRows()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(5, 3);
        Assert.Equal(["weight"], embedding.named_parameters().Select(item => item.name));
        var result = embedding.call(tensor(new long[] { 4, 0 }));
        TensorAssert.Equal(embedding.weight![4], result[0]);
        result.sum().backward();
        var parameter = embedding.parameters().Single();
        TensorAssert.Close([3, 0, 0, 0, 3], parameter.grad!.sum(1));
    }

    [Fact]
    public void Dropout_OnlyInTraining()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var dropout = nn.Dropout(0.5);
        var x = ones(1000);
        var dropped = dropout.call(x);
        float mean = dropped.mean().item<float>();
        Assert.InRange(mean, 0.8f, 1.2f);
        Assert.True(((dropped == 0) | (dropped == 2)).all().item<bool>());
        dropout.eval();
        TensorAssert.Equal(x, dropout.call(x));
    }

    [Fact]
    public void Sequential_NamesAndOrder()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1));
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], model.named_parameters().Select(item => item.name));
        TensorAssert.Shape(model.call(ones(4, 2)), 4, 1);
    }

    private sealed class Toy : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter scale;
        private readonly Tensor offset;
        private readonly Linear first;
        private readonly ModuleList<Linear> layers;

        [ComponentName(Name = "last")]
        private readonly Linear _lastLayer;

        public Toy()
            : base(nameof(Toy))
        {
            scale = nn.Parameter(full(1, 2.0));
            offset = arange(3);
            first = nn.Linear(4, 4);
            layers = new ModuleList<Linear>(nn.Linear(4, 4, hasBias: false), nn.Linear(4, 4, hasBias: false));
            _lastLayer = nn.Linear(4, 2, hasBias: false);
            RegisterComponents();
        }

        public Parameter Scale => scale;

        public Tensor Offset => offset;

        public Linear First => first;

        public Linear Last => _lastLayer;

        public Linear Layer(int index) => layers[index];

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var hidden = first.call(input);
            foreach (var layer in layers)
                hidden = layer.call(hidden);
            return (_lastLayer.call(hidden) * scale).MoveToOuterDisposeScope();
        }
    }
}
