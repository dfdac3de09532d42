using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class ExpertsTests
{
    // A batch for each load, some, and one for all.
    private static readonly int[] RowsOfABatch = [0, 5, int.MaxValue];

    private static MoE Create()
    {
        manual_seed(6);
        return new MoE(Models.Latent, ScalarType.Float64);
    }

    private static void AssertAgrees(Experts experts, Tensor x, Routing routing)
    {
        var expected = experts.ForwardNaive(x, routing);
        foreach (int rows in RowsOfABatch)
        {
            Models.AssertClose($"a batch for {rows} rows", expected, experts.Forward(x, routing, rows), 1e-12);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(33)]
    public void Forward_AgreesWithTheLoopOverExperts(int tokens)
    {
        using var scope = NewDisposeScope();
        using var moe = Create();
        var x = randn([tokens, 16], dtype: ScalarType.Float64);
        AssertAgrees(moe.Experts, x, moe.Gate.call(x));
    }

    [Fact]
    public void Forward_DropsNothingWhenAllTokensChooseTheSame()
    {
        using var scope = NewDisposeScope();
        using var moe = Create();
        var x = randn([20, 16], dtype: ScalarType.Float64);
        var experts = tensor(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? 5L : 1L).ToArray(), [20, 2]);
        AssertAgrees(moe.Experts, x, new Routing(experts, randn([20, 2], dtype: ScalarType.Float64)));
    }

    [Fact]
    public void Forward_GradientsAgreeHoweverItIsComputed()
    {
        using var scope = NewDisposeScope();
        using var moe = Create();
        var x = randn([33, 16], dtype: ScalarType.Float64).requires_grad_();
        var probe = randn(x.shape, dtype: ScalarType.Float64);
        Tensor[] of = [x, .. moe.named_parameters().Select(p => (Tensor)p.parameter)];
        IList<Tensor> Of(Func<Tensor, Routing, Tensor> forward) => autograd.grad([(forward(x, moe.Gate.call(x)) * probe).sum()], of, allow_unused: true);
        var expected = Of(moe.Experts.ForwardNaive);
        foreach (int rows in RowsOfABatch)
        {
            var actual = Of((tokens, routing) => moe.Experts.Forward(tokens, routing, rows));
            for (int i = 0; i < 4; i++) // the input, the router and both stacks; the shared expert takes no part
            {
                Models.AssertClose($"a batch for {rows} rows, gradient {i}", expected[i], actual[i], 1e-12);
            }
        }
    }

    [Fact]
    public void Forward_ComputesInTheInputsDtype()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var moe = new MoE(Models.Latent, ScalarType.Float32);
        var x = randn([33, 16]);
        var routing = moe.Gate.call(x);
        var y = moe.Experts.call(x.to(ScalarType.BFloat16), routing);
        Assert.Equal(ScalarType.BFloat16, y.dtype);
        var expected = moe.Experts.ForwardNaive(x, routing);
        Models.AssertClose("experts", expected, y.to(ScalarType.Float32), 0.02 * expected.abs().max().item<float>()); // bf16 keeps 8 bits
    }

    [Fact]
    public void ForwardNaive_IsSwiGluOfEachChosenExpert()
    {
        using var scope = NewDisposeScope();
        using var moe = Create();
        var x = randn([1, 16], dtype: ScalarType.Float64);
        var routing = new Routing(tensor([4L, 0L], [1, 2]), tensor([0.25, 2.0], [1, 2]));
        Tensor Expert(int e)
        {
            var gateUp = moe.Experts.GateUp.detach()[e].matmul(x[0]); // (2I)
            Tensor gate = gateUp.narrow(0, 0, 8), up = gateUp.narrow(0, 8, 8);
            return moe.Experts.Down.detach()[e].matmul(gate / ((-gate).exp() + 1) * up);
        }
        Models.AssertClose("experts", (Expert(4) * 0.25 + Expert(0) * 2.0).unsqueeze(0), moe.Experts.ForwardNaive(x, routing), 1e-12);
    }

    [Fact]
    public void Forward_GradientOfTheMixtureIsThatOfFiniteDifferences()
    {
        using var scope = NewDisposeScope();
        using var moe = Create();
        var x = randn([2, 5, 16], dtype: ScalarType.Float64).requires_grad_();
        var probe = randn(x.shape, dtype: ScalarType.Float64);
        Gradients.Check(() => (moe.call(x) * probe).sum(), [("x", x), .. moe.named_parameters().Select(p => (p.name, (Tensor)p.parameter))], perTensor: 12);
    }
}
