using LatentMoE.Checkpoints;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class MoERouterTests
{
    [Theory]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 12, 4)]
    [InlineData("sigmoid", "noaux_tc", true, 2.5, 4, 2, 12, 5)]
    [InlineData("sigmoid", "noaux_tc", false, 1.5, 3, 1, 12, 4)]
    [InlineData("softmax", "group_limited_greedy", false, 16.0, 4, 3, 12, 6)]
    [InlineData("softmax", "greedy", true, 1.0, 4, 1, 12, 6)]
    [InlineData("softmax", "noaux_tc", true, 0.7, 2, 2, 8, 8)]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 4, 1)]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 1, 1, 62, 6)]
    [InlineData("sigmoid", "noaux_tc", true, 1.0, 8, 4, 256, 16)]
    [InlineData("softmax", "greedy", false, 1.0, 1, 1, 256, 16)]
    public void MoERouter_EveryMethod_ChoosesAsTheBody(
        string scoring, string method, bool norm, double scale, int groups, int kept, int experts, int topK)
    {
        var config = Config(experts, topK) with
        {
            ScoringFunc = scoring, TopkMethod = method, NormTopkProb = norm, RoutedScalingFactor = scale, NGroup = groups, TopkGroup = kept,
        };
        foreach (int tokens in (int[])[1, 3, 17, 70])
        {
            var random = new RandomNumbers(tokens);
            int width = 16 + tokens;
            long[] positions = [.. Enumerable.Range(0, tokens).Select(t => t % 4 == 3 ? -1L : t)];
            Check(config, random.Normal(tokens * width, 1), random.Normal(experts * width, 0.3), random.Normal(experts, 0.2), positions);
        }
    }

    [Theory]
    [InlineData(30, 5)]
    [InlineData(40, 21)]
    [InlineData(65, 1)]
    [InlineData(250, 17)]
    public void MoERouter_EqualScores_TakesTheLowerIndex(int count, int tokens)
    {
        float[] row = new RandomNumbers(3).Normal(44, 0.5), bias = new float[count];
        float[] gate = [.. Enumerable.Repeat(row, count).SelectMany(r => r)], x = new RandomNumbers(4).Normal(tokens * 44, 1);
        long[] positions = [.. Enumerable.Range(0, tokens).Select(t => (long)t)];
        int[] experts = Check(Config(count, 4), x, gate, bias, positions);
        Assert.All(experts.Chunk(4), chosen => Assert.Equal([0, 1, 2, 3], chosen));
        bias[count - 1] = bias[11] = 0.5f;
        experts = Check(Config(count, 4), x, gate, bias, positions);
        Assert.All(experts.Chunk(4), chosen => Assert.Equal([11, count - 1, 0, 1], chosen));
        if (count % 5 == 0)
        {
            experts = Check(Config(count, 12) with { NGroup = 5, TopkGroup = 2 }, x, gate, new float[count], positions);
            Assert.All(experts.Chunk(12), chosen => Assert.Equal(Enumerable.Range(0, 12), chosen));
        }
    }

    [Fact]
    public void MoERouter_NegativeBiases_NeverReachAnExcludedGroup()
    {
        float[] bias = [.. Enumerable.Repeat(-50f, 16)];
        Check(Config(16, 8) with { NGroup = 4, TopkGroup = 2 }, new RandomNumbers(5).Normal(6 * 20, 1), new RandomNumbers(6).Normal(16 * 20, 0.5), bias,
            [0, 1, 2, 3, 4, 5]);
    }

    [Theory]
    [InlineData("sigmoid", 1, 1)]
    [InlineData("sigmoid", 4, 2)]
    [InlineData("softmax", 1, 1)]
    public void MoERouter_NaNInOneToken_StaysThereAndChoosesExpertsInRange(string scoring, int groups, int kept)
    {
        const int Tokens = 5, Width = 24, Experts = 16, K = 4;
        float[] x = new RandomNumbers(7).Normal(Tokens * Width, 1);
        x[2 * Width + 3] = float.NaN;
        var config = Config(Experts, K) with { ScoringFunc = scoring, NGroup = groups, TopkGroup = kept };
        Node(config, x, new RandomNumbers(8).Normal(Experts * Width, 0.5), new float[Experts], [0, 1, 2, 3, 4]).Compare((isa, expected, actual) =>
        {
            foreach (int token in (int[])[0, 1, 3, 4])
            {
                var part = new Range(token * K, (token + 1) * K);
                Assert.Equal(expected[0].Ints[part], actual[0].Ints[part]);
                Close.Assert($"weights of token {token} on {isa}", expected[1].Floats.AsSpan(part), actual[1].Floats.AsSpan(part));
            }
            Assert.All(actual[0].Ints, expert => Assert.InRange(expert, 0, Experts - 1));
            Assert.Equal(K, actual[0].Ints[(2 * K)..(3 * K)].Distinct().Count());
            Assert.All(actual[1].Floats[(2 * K)..(3 * K)], weight => Assert.True(float.IsNaN(weight), $"{weight} on {isa}"));
        });
    }

    [Fact]
    public void MoERouter_NaNInOneExpert_LeavesItToTheOthers()
    {
        const int Tokens = 6, Width = 24, Experts = 16, K = 4;
        float[] gate = new RandomNumbers(8).Normal(Experts * Width, 0.5), x = new RandomNumbers(9).Normal(Tokens * Width, 1);
        gate[5 * Width] = float.NaN;
        long[] positions = [.. Enumerable.Range(0, Tokens).Select(t => (long)t)];
        var node = Node(Config(Experts, K), x, gate, new float[Experts], positions);
        foreach (string isa in OperatorsLibrary.InstructionSets)
        {
            Tensor[] actual = node.Library(isa);
            Assert.All(actual[0].Ints, expert => Assert.InRange(expert, 0, Experts - 1));
            Assert.All(actual[1].Floats, weight => Assert.True(float.IsFinite(weight), $"{weight} on {isa}"));
            Assert.DoesNotContain(5, actual[0].Ints);
        }
    }

    private static ModelConfig Config(int experts, int topK) =>
        TestConfigs.LatentMoE with { NRoutedExperts = experts, NumExpertsPerTok = topK, RoutedScalingFactor = 1 };

    private static SingleNode Node(ModelConfig config, float[] x, float[] gate, float[] bias, long[] positions)
    {
        int tokens = positions.Length, experts = bias.Length, width = x.Length / tokens;
        return new(new MoERouter(config), Tensor.Of(x, tokens, width), Tensor.Of(gate, experts, width), Tensor.Of(bias, experts), Tensor.Of(positions, tokens));
    }

    // The experts that were chosen.
    private static int[] Check(ModelConfig config, float[] x, float[] gate, float[] bias, long[] positions)
    {
        int[] chosen = [];
        Node(config, x, gate, bias, positions).Compare((isa, expected, actual) =>
        {
            string name = $"{config.ScoringFunc}, {config.TopkMethod}, {config.NRoutedExperts} experts on {isa}, tokens {positions.Length}";
            Assert.True(expected[0].Ints.SequenceEqual(actual[0].Ints),
                $"experts of {name}: {string.Join(" ", actual[0].Ints)}, expected {string.Join(" ", expected[0].Ints)}");
            Assert.Equal(expected[0].Shape, actual[0].Shape);
            Close.Assert($"weights of {name}", expected[1], actual[1]);
            chosen = actual[0].Ints;
        });
        return chosen;
    }
}
