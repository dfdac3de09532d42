using LatentMoE.Runtime;
using LatentMoE.Runtime.Sampling;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>SelectToken, on the CPU and by the CUDA kernel on the emulation, draws from what the sampler of the runtime leaves.</summary>
public sealed class SelectTokenTests
{
    private static readonly (float Temperature, int TopK, float TopP, float MinP)[] limits =
    [
        (1, 0, 1, 0), (0.7f, 0, 1, 0), (1, 1, 1, 0), (1.3f, 5, 1, 0), (1, 0, 0.5f, 0), (0.8f, 20, 0.9f, 0), (1, 0, 0.01f, 0), (1, 0, 1, 0.2f),
        (0.9f, 40, 0.8f, 0.1f), (2, 100000, 0.99f, 0.01f), (0, 5, 0.5f, 0.5f),
    ];

    public static TheoryData<string, string> Kernels { get; } = new()
    {
        { "plain", "f32" }, { "plain", "f16" }, { "plain", "bf16" },
        { OperatorsLibrary.Emulated, "f32" }, { OperatorsLibrary.Emulated, "f16" }, { OperatorsLibrary.Emulated, "bf16" },
    };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void SelectToken_AnyLimits_DrawsAsTheSampler(string kernels, string activations)
    {
        foreach (int vocabulary in (int[])[1, 7, 300, 2500])
        {
            var random = new RandomNumbers(vocabulary);
            int rows = limits.Length;
            Tensor logits = Tensor.Of(random.Normal(rows * vocabulary, 2), rows, vocabulary).As(CudaCombinations.Type(activations));
            float[] uniform = [.. Enumerable.Range(0, rows).Select(row => (row * 0.618034f + 0.05f) % 1)];
            long[] positions = [.. Enumerable.Range(0, rows).Select(row => row % 4 == 3 ? -1L : row)];
            Tensor[] outputs = Run(kernels, logits, limits, uniform, positions);
            Assert.Equal([.. positions.Select(p => p < 0 ? p : p + 1)], outputs[1].Longs);
            for (int row = 0; row < rows; row++)
            {
                AssertDrawn($"row {row} of {vocabulary} {activations} on {kernels}", logits.Floats.AsSpan(row * vocabulary, vocabulary), limits[row], uniform[row], outputs[0].Longs[row]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void SelectToken_EqualLogits_TakesTheLowerIds(string kernels, string activations)
    {
        Tensor logits = Tensor.Of([1, 3, -2, 3, 3, 0, 3, 1, -0f, 0, -1, 0, -0f, -5, -5, -5], 2, 8).As(CudaCombinations.Type(activations));
        Assert.Equal([1, 0], Run(kernels, logits, [(0, 0, 1, 0), (0, 0, 1, 0)], [0, 0], [0, 0])[0].Longs);
        // Top-k of equals keeps the lower ids: all but the last of the first row, the first two zeros of the second.
        Assert.Equal([4, 1], Run(kernels, logits, [(1, 3, 1, 0), (1, 2, 1, 0)], [0.999f, 0.999f], [0, 0])[0].Longs);
        // Half of the mass of four equals is two of them.
        Assert.Equal([3, 0], Run(kernels, logits, [(1, 4, 0.5f, 0), (1, 1, 1, 0)], [0.999f, 0.999f], [0, 0])[0].Longs);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void SelectToken_DamagedLogits_GiveNoToken(string kernels, string activations)
    {
        float nan = float.NaN, infinity = float.PositiveInfinity;
        Tensor logits = Tensor.Of([1, nan, 2, nan, nan, nan, 1, infinity, 2, -infinity, -infinity, -infinity, -infinity, 3, -infinity], 5, 3).As(CudaCombinations.Type(activations));
        foreach (float temperature in (float[])[0, 1])
        {
            var same = Enumerable.Repeat((temperature, 0, 1f, 0f), 5).ToArray();
            Assert.Equal([-1, -1, -1, -1, 1], Run(kernels, logits, same, new float[5], new long[5])[0].Longs);
        }
    }

    private static Tensor[] Run(string kernels, Tensor logits, (float Temperature, int TopK, float TopP, float MinP)[] rows, float[] uniform, long[] positions)
    {
        long count = rows.Length;
        return (RawNodes.Select(logits.Type) with { Constants = false })
            .With("logits", logits).With("temperature", Tensor.Of([.. rows.Select(r => r.Temperature)], count)).With("top_k", Tensor.Of([.. rows.Select(r => r.TopK)], count))
            .With("top_p", Tensor.Of([.. rows.Select(r => r.TopP)], count)).With("min_p", Tensor.Of([.. rows.Select(r => r.MinP)], count))
            .With("uniform", Tensor.Of(uniform, count)).With("positions", Tensor.Of(positions, count, 1)).Run(kernels);
    }

    // The token at which the draw's running sum of weights passes its share of them, within what rounding moves it.
    private static void AssertDrawn(string what, ReadOnlySpan<float> logits, (float Temperature, int TopK, float TopP, float MinP) row, float uniform, long token)
    {
        int best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits);
        if (row.Temperature == 0)
        {
            Assert.True(token == best, $"{what}: {token}, expected {best}");
            return;
        }
        using var sampler = new Sampler(new GenerationOptions { Temperature = row.Temperature, TopK = row.TopK, TopP = row.TopP, MinP = row.MinP, Seed = 1 }, logits.Length);
        double[] weights = Array.ConvertAll(sampler.Weights(logits, logits[best]).ToArray(), weight => (double)weight);
        double before = weights.Take((int)token).Sum(), share = uniform * weights.Sum(), slack = 1e-5 * weights.Sum();
        Assert.True(weights[token] > 0, $"{what}: token {token} is not to be drawn");
        Assert.True(share > before - slack && share < before + weights[token] + slack, $"{what}: {share} does not lie in {before} + {weights[token]} of token {token}");
    }
}
