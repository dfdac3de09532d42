using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

/// <summary>Small models and inputs that the tests share; everything follows from a seed.</summary>
internal static class Models
{
    public const int Vocabulary = 32;

    /// <summary>A latent model with experts, two layers of width 16.</summary>
    public static ModelConfig Latent { get; } = new ModelConfig
    {
        VocabSize = Vocabulary,
        HiddenSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        MaxPositionEmbeddings = 32,
        IntermediateSize = 32,
        KvLoraRank = 8,
        QkNopeHeadDim = 8,
        QkRopeHeadDim = 4,
        VHeadDim = 6,
        NRoutedExperts = 6,
        NSharedExperts = 1,
        NumExpertsPerTok = 2,
        MoeIntermediateSize = 8,
        TieWordEmbeddings = true,
        InitializerRange = 0.3,
    }.Validated("test");

    public static ModelConfig Of(string twin) => Twin.Of(Latent, twin, "test");

    public static Transformer Create(ModelConfig config, long seed = 1, ScalarType dtype = ScalarType.Float32, double dropout = 0)
    {
        manual_seed(seed);
        return new Transformer(config, dropout, dtype);
    }

    /// <summary>Random ids [batch, length].</summary>
    public static long[] Ids(int batch, int length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, batch * length).Select(_ => (long)random.Next(Vocabulary))];
    }

    /// <summary>A source of random batches, a pure function of the index as the real one is.</summary>
    public static BatchSource Source(int seed = 1) => (index, inputs, targets) =>
    {
        var random = new Random((int)(seed * 1000 + index));
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = random.Next(Vocabulary);
            targets[i] = (inputs[i] * 5 + 3) % Vocabulary;
        }
    };

    public static ComputeDevice Cpu { get; } = new(CPU, ScalarType.Float32);

    /// <summary>Fails with the tensor's name and the largest difference if two tensors differ by more than the tolerance.</summary>
    public static void AssertClose(string name, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{name}: shape [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", expected.shape)}]");
        Assert.True(actual.isfinite().all().item<bool>(), $"{name}: holds NaN or infinity");
        double difference = (expected.to(ScalarType.Float64) - actual.to(ScalarType.Float64)).abs().max().item<double>();
        Assert.True(difference <= tolerance, $"{name}: max abs diff {difference:g6}, allowed {tolerance:g6}");
    }
}
