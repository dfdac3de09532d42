using LatentMoE.Checkpoints;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Operators;

public sealed class MoERouterTests
{
    private const int Width = 20;

    [Theory]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 12, 4)]
    [InlineData("sigmoid", "noaux_tc", true, 2.5, 4, 2, 12, 5)]
    [InlineData("sigmoid", "noaux_tc", false, 1.5, 3, 1, 12, 4)]
    [InlineData("softmax", "group_limited_greedy", false, 16.0, 4, 3, 12, 6)]
    [InlineData("softmax", "greedy", true, 1.0, 4, 1, 12, 6)]
    [InlineData("softmax", "noaux_tc", true, 0.7, 2, 2, 8, 8)]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 8, 1)]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 3, 3)]
    public void MoERouter_EveryMethod_ChoosesAsTheReference(string scoring, string method, bool norm, double scale, int groups, int kept, int experts, int topK)
    {
        var config = Config(experts, topK) with
        {
            ScoringFunc = scoring, TopkMethod = method, NormTopkProb = norm, RoutedScalingFactor = scale, NGroup = groups, TopkGroup = kept,
        };
        foreach (int tokens in new[] { 1, 5, 33 })
        {
            var random = new RandomNumbers(tokens);
            long[] positions = [.. Enumerable.Range(0, tokens).Select(t => t % 4 == 3 ? -1L : t)];
            Check(config, random.Normal(tokens * Width, 1), random.Normal(experts * Width, 0.5), random.Normal(experts, 0.2), positions);
        }
    }

    [Fact]
    public void MoERouter_EqualScores_TakesTheLowerIndex()
    {
        // Every expert has the same gate row; two equal biases stand out.
        float[] row = new RandomNumbers(3).Normal(Width, 0.5), bias = new float[10];
        bias[7] = bias[4] = 0.5f;
        float[] gate = [.. Enumerable.Repeat(row, 10).SelectMany(r => r)];

        var (experts, _) = Check(Config(10, 4), new RandomNumbers(4).Normal(3 * Width, 1), gate, bias, [0, 1, 2]);

        Assert.Equal([4, 7, 0, 1], experts[..4]);
    }

    [Fact]
    public void MoERouter_EqualGroups_TakesTheLowerGroup()
    {
        float[] row = new RandomNumbers(3).Normal(Width, 0.5);
        float[] gate = [.. Enumerable.Repeat(row, 12).SelectMany(r => r)];

        var (experts, _) = Check(Config(12, 3) with { NGroup = 4, TopkGroup = 2 }, new RandomNumbers(4).Normal(2 * Width, 1), gate, new float[12], [0, 1]);

        Assert.Equal([0, 1, 2], experts[..3]);
    }

    [Fact]
    public void MoERouter_Bias_MovesTheChoiceButNotTheWeights()
    {
        float[] bias = new float[6];
        bias[5] = 100;
        var random = new RandomNumbers(9);
        float[] x = random.Normal(Width, 1), gate = random.Normal(6 * Width, 0.5);

        var (experts, weights) = Check(Config(6, 2) with { NormTopkProb = false }, x, gate, bias, [0]);

        Assert.Equal(5, experts[0]);
        double score = 1 / (1 + Math.Exp(-ReferenceMath.Linear(ReferenceMath.ToDouble(x), gate, Width)[5]));
        Assert.Equal(score, weights[0], 1e-6);
    }

    [Fact]
    public void MoERouter_NegativeBiases_NeverReachAnExcludedGroup()
    {
        float[] bias = [.. Enumerable.Repeat(-50f, 8)];
        Check(Config(8, 4) with { NGroup = 4, TopkGroup = 2 }, new RandomNumbers(5).Normal(6 * Width, 1), new RandomNumbers(6).Normal(8 * Width, 0.5), bias, [0, 1, 2, 3, 4, 5]);
    }

    [Fact]
    public void MoERouter_IdleTokens_GetNoExpertsAndNoWeight()
    {
        var random = new RandomNumbers(2);
        var (experts, weights) = Check(Config(6, 3), random.Normal(2 * Width, 1), random.Normal(6 * Width, 0.5), new float[6], [-1, 4]);

        Assert.Equal([-1, -1, -1], experts[..3]);
        Assert.Equal([0f, 0f, 0f], weights[..3]);
        Assert.DoesNotContain(-1, experts[3..]);
    }

    [Theory]
    [MemberData(nameof(Activations.Narrow), MemberType = typeof(Activations))]
    public void MoERouter_NarrowActivations_ScoreInFloat32(string type)
    {
        var (activations, random) = (Activations.Named(type), new RandomNumbers(8));
        Check(Config(12, 4), activations.Round(random.Normal(9 * Width, 1)), random.Normal(12 * Width, 0.5), random.Normal(12, 0.2), [0, 1, 2, -1, 4, 5, 6, 7, 8], activations);
    }

    private static ModelConfig Config(int experts, int topK) => TestConfigs.LatentMoE with { NRoutedExperts = experts, NumExpertsPerTok = topK, RoutedScalingFactor = 1 };

    private static (int[] Experts, float[] Weights) Check(ModelConfig c, float[] x, float[] gate, float[] bias, long[] positions,
        Activations? activations = null)
    {
        int tokens = positions.Length, k = c.NumExpertsPerTok;
        var op = new MoERouter(c, activations?.Type ?? DataType.Float);
        var outputs = OperatorRunner.Run(op, activations?.Input(x, tokens, Width) ?? new(x, tokens, Width), new(gate, c.NRoutedExperts, Width), new(bias, c.NRoutedExperts), new(positions, tokens));
        var reference = new ReferenceRouter(k, c.ScoringFunc, op.NormTopkProb, c.RoutedScalingFactor, c.NGroup, c.TopkGroup, c.TopkMethod);
        var expected = positions.Select((p, t) => reference.Choose(ReferenceMath.ToDouble(x[(t * Width)..((t + 1) * Width)]), gate, bias, p)).ToList();

        Assert.Equal([tokens, k], outputs[0].Shape);
        Assert.Equal([tokens, k], outputs[1].Shape);
        Assert.Equal([.. expected.SelectMany(e => e.Experts)], outputs[0].Ints);
        Close.Assert("weights", expected.SelectMany(e => e.Weights).ToArray(), outputs[1].Floats);
        return (outputs[0].Ints, outputs[1].Floats);
    }
}
