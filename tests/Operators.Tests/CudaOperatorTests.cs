using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>Every operator with every type of activations and weights gives what its body gives in stock ONNX Runtime.</summary>
public sealed class CudaOperatorTests
{
    [Theory]
    [MemberData(nameof(CudaCombinations.Weights), MemberType = typeof(CudaCombinations))]
    public void Linear_AnyShape_EqualsTheBody(string kernels, string activations, string format)
    {
        int odd = Formats.Quantised(format) ? 48 : 45;
        foreach (var (width, rows, tokens) in ((int, int, int)[])[(odd, 37, 1), (odd, 19, 3), (64, 40, 9), (128, 72, 40), (odd, 131, 70)])
        {
            var random = new RandomNumbers(width + tokens);
            var weights = Formats.Of(format, width);
            Check($"{format} {rows} x {width}, {tokens} tokens", kernels, activations, type => new Linear(weights, type),
                [Tensor.Random(random, 1, tokens, 1, width), .. Tensor.Weights(weights, random, 0.3, rows, width)], 0);
        }
    }

    [Theory]
    [MemberData(nameof(CudaCombinations.Activations), MemberType = typeof(CudaCombinations))]
    public void AddRmsNorm_AnyShape_EqualsTheBody(string kernels, string activations)
    {
        foreach (var (width, rows) in ((int, int)[])[(1, 2), (33, 5), (64, 1), (256, 9), (1024, 2)])
        {
            var random = new RandomNumbers(width);
            Check($"{rows} rows of {width}", kernels, activations, type => new AddRmsNorm(1e-6, type),
                [Tensor.Random(random, 1, rows, width), Tensor.Random(random, 2, rows, 1, width), Tensor.Of(random.Normal(width, 0.3, mean: 1), width)], 0, 1);
        }
    }

    [Theory]
    [MemberData(nameof(CudaCombinations.Activations), MemberType = typeof(CudaCombinations))]
    public void MoERouter_EveryMethod_EqualsTheBody(string kernels, string activations)
    {
        foreach (var (scoring, method, experts, topK, groups) in ((string, string, int, int, int)[])
            [("sigmoid", "noaux_tc", 62, 6, 1), ("sigmoid", "noaux_tc", 12, 5, 4), ("softmax", "group_limited_greedy", 12, 6, 4), ("softmax", "greedy", 70, 16, 1)])
        {
            var config = TestConfigs.LatentMoE with
            {
                NRoutedExperts = experts, NumExpertsPerTok = topK, ScoringFunc = scoring, TopkMethod = method, NGroup = groups, TopkGroup = Math.Max(groups / 2, 1),
            };
            foreach (int tokens in (int[])[1, 7, 33])
            {
                var random = new RandomNumbers(tokens);
                long[] positions = [.. Enumerable.Range(0, tokens).Select(t => t % 4 == 3 ? -1L : t)];
                Tensor[] inputs = [Tensor.Random(random, 1, tokens, 40), Tensor.Random(random, 0.3, experts, 40), Tensor.Random(random, 0.2, experts), Tensor.Of(positions, tokens)];
                Check($"{scoring} {method} of {experts}, {tokens} tokens", kernels, activations, type => new MoERouter(config, type), inputs, 0);
            }
        }
    }

    [Theory]
    [MemberData(nameof(CudaCombinations.Weights), MemberType = typeof(CudaCombinations))]
    public void MoEExperts_AnyShape_EqualsTheBody(string kernels, string activations, string format)
    {
        foreach (var (width, hidden, experts, slots, shared, tokens) in ((int, int, int, int, int, int)[])
            [(48, 16, 7, 3, 1, 1), (80, 48, 4, 1, 0, 5), (32, 16, 12, 4, 2, 30), (64, 32, 6, 2, 1, 150)])
        {
            var random = new RandomNumbers(tokens);
            var weights = Formats.Of(format, width, hidden, shared * hidden);
            var config = TestConfigs.LatentMoE with
            {
                HiddenSize = width, MoeIntermediateSize = hidden, NRoutedExperts = experts, NSharedExperts = shared, NumExpertsPerTok = slots,
            };
            // Some slots are empty, and one expert is never chosen.
            int[] chosen = [.. Enumerable.Range(0, tokens * slots).Select(i => i % 5 == 4 ? -1 : (i / slots + i % slots) % (experts - 1))];
            Tensor[] sharedWeights = shared == 0 ? [] :
            [
                .. Tensor.Weights(weights, random, 1 / Math.Sqrt(width), 2 * shared * hidden, width),
                .. Tensor.Weights(weights, random, 1 / Math.Sqrt(hidden), width, shared * hidden),
            ];
            Check($"{format} {experts} experts of {width} x {hidden}, {tokens} tokens", kernels, activations, type => new MoEExperts(config, weights, type),
            [
                Tensor.Random(random, 1, tokens, width), Tensor.Of(chosen, tokens, slots), Tensor.Random(random, 1, tokens, slots),
                .. Tensor.Weights(weights, random, 1 / Math.Sqrt(width), experts, 2 * hidden, width),
                .. Tensor.Weights(weights, random, 1 / Math.Sqrt(hidden), experts, width, hidden),
                .. sharedWeights,
            ], 0);
        }
    }

    public static TheoryData<string, string, string, bool> Attention { get; } = new()
    {
        { OperatorsLibrary.Emulated, "f32", "f32", false }, { OperatorsLibrary.Emulated, "f32", "f16", true }, { OperatorsLibrary.Emulated, "f32", "bf16", true },
        { OperatorsLibrary.Emulated, "f16", "f16", true }, { OperatorsLibrary.Emulated, "bf16", "bf16", false }, { OperatorsLibrary.Emulated, "bf16", "f16", false },
        { "plain", "f16", "f16", true }, { "plain", "bf16", "bf16", false }, { "plain", "bf16", "f16", false },
    };

    [Theory]
    [MemberData(nameof(Attention))]
    public void LatentAttention_AnyCall_EqualsTheBody(string kernels, string activations, string expansion, bool half)
    {
        AttentionShape small = new(Heads: 3, Rank: 16, Nope: 4, Rope: 6, Value: 4), model = new(Heads: 4, Rank: 64, Nope: 32, Rope: 16, Value: 32);
        AttentionCase[] cases =
        [
            new(small, 1, 1, 0, 1, (_, s) => s, (_, _) => 1),
            new(small, 2, 7, 0, 7, (b, s) => b == 0 ? s : s < 3 ? 1 : s - 3, (b, t) => b == 0 || t >= 3 ? 1 : 0),
            new(model, 2, 1, 41, 38, (_, _) => 37, (_, _) => 1),
            new(model, 3, 2, 70, 2, (b, s) => b == 1 ? -1 : 30 * b + s, (_, _) => 1),
            new(model, 1, 20, 9, 29, (_, s) => 9 + s, (_, _) => 1),
            new(model, 1, 70, 100, 90, (_, s) => 20 + s, (_, _) => 1),
        ];
        double limit = activations == "f32" && half ? 2e-4 : CudaCombinations.Limit(activations);
        foreach (AttentionCase untyped in cases)
        {
            AttentionCase typed = untyped with { Activations = CudaCombinations.Type(activations) };
            SingleNode node = typed.Node(expansion, half);
            typed.Compare($"{activations}, {expansion} on {kernels}", node.Body(), node.Library(kernels), limit, half ? Math.Max(limit, 1e-3) : limit);
        }
    }

    // Compares numbers within the limit of the type, ids exactly.
    private static void Check(string what, string kernels, string activations, Func<DataType, Operator> op, Tensor[] inputs, params int[] typed)
    {
        DataType type = CudaCombinations.Type(activations);
        var node = new SingleNode(op(type), [.. inputs.Select((input, i) => typed.Contains(i) ? input.As(type) : input)]);
        foreach (var (expected, actual) in node.Body().Zip(node.Library(kernels)))
        {
            if (expected.Type == DataType.Int32)
            {
                Assert.Equal(expected.Ints, actual.Ints);
            }
            else
            {
                Close.Assert($"{what}, {activations} on {kernels}", expected, actual, CudaCombinations.Limit(activations));
            }
        }
    }
}
