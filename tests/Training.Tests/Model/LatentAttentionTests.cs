using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class LatentAttentionTests
{
    private static LatentAttention Create(ModelConfig config, ScalarType dtype)
    {
        manual_seed(3);
        var rotary = new RotaryEmbedding(config.RopeDim, config.MaxPositionEmbeddings, config.RopeTheta, config.RopeInterleave, dtype);
        return new LatentAttention(config, rotary, dtype);
    }

    private static Tensor Input(ScalarType dtype) => randn([2, 9, Models.Latent.HiddenSize], dtype: dtype);

    [Theory]
    [InlineData(null)]
    [InlineData(6)]
    public void ForwardAbsorbed_AgreesWithFull(int? queryRank)
    {
        using var scope = NewDisposeScope();
        using var attention = Create(Models.Latent with { QLoraRank = queryRank }, ScalarType.Float32);
        var x = Input(ScalarType.Float32);
        Models.AssertClose("attention", attention.call(x), attention.ForwardAbsorbed(x), 2e-6);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(6, false)]
    [InlineData(null, true)]
    public void Forward_GradientIsThatOfFiniteDifferences(int? queryRank, bool absorbed)
    {
        using var scope = NewDisposeScope();
        using var attention = Create(Models.Latent with { QLoraRank = queryRank }, ScalarType.Float64);
        var x = Input(ScalarType.Float64).requires_grad_();
        var probe = randn(x.shape, dtype: ScalarType.Float64);
        Gradients.Check(
            () => ((absorbed ? attention.ForwardAbsorbed(x) : attention.call(x)) * probe).sum(),
            [("x", x), .. attention.named_parameters().Select(p => (p.name, (Tensor)p.parameter))]);
    }

    [Fact]
    public void Forward_IsTheEquationsOfThePaper()
    {
        using var scope = NewDisposeScope();
        using var attention = Create(Models.Latent, ScalarType.Float64);
        var x = Input(ScalarType.Float64);
        var weights = attention.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach());
        var c = Models.Latent;
        var expected = zeros_like(x);
        for (int b = 0; b < 2; b++)
        {
            var row = x.select(0, b); // (T, d)
            var kv = row.matmul(weights["kv_a_proj_with_mqa.weight"].t());
            var latent = kv.narrow(1, 0, c.KvLoraRank);
            latent = latent / (latent * latent).mean([-1], true).add(c.RmsNormEps).sqrt() * weights["kv_a_layernorm.weight"];
            var heads = new List<Tensor>();
            for (int h = 0; h < c.NumAttentionHeads; h++)
            {
                var q = row.matmul(weights["q_proj.weight"].narrow(0, h * c.QkHeadDim, c.QkHeadDim).t());
                var up = weights["kv_b_proj.weight"].narrow(0, h * (c.QkNopeHeadDim + c.VHeadDim), c.QkNopeHeadDim + c.VHeadDim);
                var k = latent.matmul(up.narrow(0, 0, c.QkNopeHeadDim).t());
                var v = latent.matmul(up.narrow(0, c.QkNopeHeadDim, c.VHeadDim).t());
                heads.Add(Attend(q, k, Turn(kv.narrow(1, c.KvLoraRank, c.QkRopeHeadDim)), v));
            }
            expected[b] = cat([.. heads], 1).matmul(weights["o_proj.weight"].t());
        }
        Models.AssertClose("attention", expected, attention.call(x), 1e-10);
    }

    // Softmax over the past of a head, written out query by query.
    private static Tensor Attend(Tensor q, Tensor k, Tensor sharedKey, Tensor v)
    {
        var c = Models.Latent;
        var turned = Turn(q.narrow(1, c.QkNopeHeadDim, c.QkRopeHeadDim));
        var rows = new List<Tensor>();
        for (long t = 0; t < q.shape[0]; t++)
        {
            var scores = k.narrow(0, 0, t + 1).matmul(q.select(0, t).narrow(0, 0, c.QkNopeHeadDim))
                + sharedKey.narrow(0, 0, t + 1).matmul(turned.select(0, t));
            var weights = (scores / Math.Sqrt(c.QkHeadDim)).softmax(0);
            rows.Add(weights.unsqueeze(0).matmul(v.narrow(0, 0, t + 1)));
        }
        return cat([.. rows], 0);
    }

    // Rotation of neighbouring pairs, kept in place: the order within a vector is free as long as both sides share it.
    private static Tensor Turn(Tensor x)
    {
        var result = x.clone();
        for (int p = 0; p < x.shape[0]; p++)
        {
            for (int i = 0; i < x.shape[1]; i += 2)
            {
                double angle = p * Math.Pow(Models.Latent.RopeTheta, -(double)i / x.shape[1]);
                double a = x[p, i].item<double>(), b = x[p, i + 1].item<double>();
                result[p, i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                result[p, i + 1] = b * Math.Cos(angle) + a * Math.Sin(angle);
            }
        }
        return result;
    }
}
