using System.Numerics.Tensors;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

/// <summary>Whole models by the CUDA kernels, on the emulation, and by the CPU's with activations of 16 bits, against the bodies.</summary>
public sealed class CudaWholeModelTests
{
    // Rows of every matrix are whole blocks of 16, as int8 and int4 need.
    private static readonly ModelConfig config = TestConfigs.LatentMoE with { MoeIntermediateSize = 48, KvLoraRank = 32 };

    public static TheoryData<string, string, string> Models { get; } = new()
    {
        { OperatorsLibrary.Emulated, "f32", "f32" }, { OperatorsLibrary.Emulated, "f32", "int4" }, { OperatorsLibrary.Emulated, "f16", "f16" },
        { OperatorsLibrary.Emulated, "f16", "int8" }, { OperatorsLibrary.Emulated, "f16", "int4" }, { OperatorsLibrary.Emulated, "bf16", "bf16" },
        { "plain", "f16", "f16" }, { "plain", "f16", "int4" }, { "plain", "bf16", "bf16" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Library_PromptAndSteps_GivesTheLogitsAndTokensOfTheBodies(string kernels, string activations, string precision)
    {
        // Where numbers are coarse, any expert less would be chosen differently now and then.
        var routed = activations == "f32" ? config : config with { NumExpertsPerTok = config.NRoutedExperts };
        using var model = new DecoderModel(routed, precision, activations: CudaCombinations.Type(activations));
        using var bodies = model.WithBodies();
        using var library = model.WithLibrary(kernels);
        var random = new RandomNumbers(7);
        long[][] rows = [.. Enumerable.Range(0, 2).Select(_ => Enumerable.Range(0, 19).Select(_ => (long)random.Next(2, config.VocabSize)).ToArray())];
        bodies.Start(2, 40);
        library.Start(2, 40);
        int start = 0;
        // A prompt, a chunk, then single tokens: the likeliest of the first row, by the bodies, in both.
        foreach (int count in (int[])[12, 7, 1, 1, 1, 1, 1, 1])
        {
            long[][] part = [.. rows.Select(row => row[start..(start + count)])];
            float[] expected = bodies.Append(start, part), actual = library.Append(start, part);
            Close.Assert($"logits of {precision} with {activations} on {kernels}, {count} tokens from {start}", expected, actual, Limit(activations));
            Assert.Equal(Likeliest(expected), Likeliest(actual), (e, a) => e.Id == a.Id || e.Margin < Limit(activations));
            start += count;
            rows = [.. rows.Select(row => start < row.Length ? row : [.. row, Likeliest(expected).Id])];
        }
    }

    // Layers add up what one operator may differ.
    private static double Limit(string activations) => 3 * CudaCombinations.Limit(activations);

    // The likeliest token after the last of the last row, and by how much, as a share of the range.
    private static (long Id, double Margin) Likeliest(float[] logits)
    {
        ReadOnlySpan<float> last = logits.AsSpan(logits.Length - config.VocabSize);
        float[] sorted = last.ToArray();
        Array.Sort(sorted);
        return (TensorPrimitives.IndexOfMax(last), (sorted[^1] - sorted[^2]) / (sorted[^1] - sorted[0]));
    }
}
