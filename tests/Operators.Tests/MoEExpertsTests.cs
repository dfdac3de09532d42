using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;

namespace LatentMoE.Operators.Tests;

public sealed class MoEExpertsTests
{
    /// <param name="Width">d</param>
    /// <param name="Hidden">I</param>
    /// <param name="Shared">Number of shared experts.</param>
    private sealed record Layer(int Width, int Hidden, int Experts, int Slots, int Shared);

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void MoEExperts_RandomChoice_EqualsTheBody(string format)
    {
        Layer[] layers = [new(48, 16, 7, 3, 1), new(80, 48, 4, 1, 0), new(32, 16, 256, 8, 2), new(64, 16, 16, 16, 0), new(96, 64, 62, 6, 1)];
        foreach (var layer in layers)
        {
            foreach (int tokens in (int[])[1, 2, 5, 17])
            {
                var order = new RandomNumbers(tokens);
                int[] Choose() => [.. Enumerable.Range(0, layer.Experts).OrderBy(_ => order.Normal()).Take(layer.Slots)];
                Check(format, layer, tokens, [.. Enumerable.Range(0, tokens).SelectMany(_ => Choose())]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats.Float), MemberType = typeof(Formats))]
    public void MoEExperts_OddWidths_EqualsTheBody(string format)
    {
        foreach (var layer in (Layer[])[new(17, 5, 5, 2, 1), new(1, 1, 4, 2, 0), new(67, 23, 9, 4, 3)])
        {
            foreach (int tokens in (int[])[1, 3, 33])
            {
                Check(format, layer, tokens, [.. Enumerable.Range(0, tokens * layer.Slots).Select(i => i % layer.Experts)]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void MoEExperts_Prefill_EqualsTheBody(string format) =>
        Check(format, new(64, 32, 12, 4, 1), 300, [.. Enumerable.Range(0, 1200).Select(i => (i / 4 * 7 + i % 4) % 12)]);

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void MoEExperts_AllTokensToOneExpert_EqualsTheBody(string format)
    {
        foreach (int tokens in (int[])[1, 3, 17, 150])
        {
            Check(format, new(48, 32, 6, 2, 1), tokens, [.. Enumerable.Range(0, tokens).SelectMany(_ => new[] { 4, -1 })]);
        }
    }

    [Theory]
    [MemberData(nameof(Formats.All), MemberType = typeof(Formats))]
    public void MoEExperts_EmptySlots_AreSkipped(string format)
    {
        foreach (int tokens in (int[])[1, 4, 50])
        {
            var layer = new Layer(32, 48, 9, 3, 2);
            Check(format, layer, tokens, [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { t % 5 == 1 ? -1 : t % 9, -1, (t + 1) % 9 })]);
            Check(format, layer, tokens, [.. Enumerable.Repeat(-1, tokens * 3)]);
            Check(format, layer with { Shared = 0 }, tokens, [.. Enumerable.Repeat(-1, tokens * 3)]);
        }
    }

    [Theory]
    [MemberData(nameof(Formats.Float), MemberType = typeof(Formats))]
    public void MoEExperts_NaNInExpertsThatNobodyChose_DoesNotSpread(string format)
    {
        foreach (int tokens in (int[])[1, 2, 30])
        {
            Check(format, new(24, 10, 8, 2, 1), tokens, [.. Enumerable.Range(0, tokens).SelectMany(t => new[] { 2 + t % 2, 6 })], spoiled: [0, 1, 4, 5, 7]);
        }
    }

    private static void Check(string name, Layer layer, int tokens, int[] chosen, int[]? spoiled = null)
    {
        var (width, hidden, experts, slots, sharedCount) = layer;
        var random = new RandomNumbers(tokens + 100 * experts);
        var format = Formats.Of(name, width, hidden, sharedCount * hidden);
        var config = TestConfigs.LatentMoE with
        {
            HiddenSize = width, MoeIntermediateSize = hidden, NRoutedExperts = experts, NSharedExperts = sharedCount, NumExpertsPerTok = slots,
        };
        Tensor[] routed =
        [
            .. Tensor.Weights(format, random, 1 / Math.Sqrt(width), experts, 2 * hidden, width),
            .. Tensor.Weights(format, random, 1 / Math.Sqrt(hidden), experts, width, hidden),
        ];
        foreach (var matrix in spoiled is null ? [] : routed)
        {
            int size = matrix.Bytes.Length / experts;
            // All bits set is a NaN in every float format.
            Array.ForEach(spoiled!, e => matrix.Bytes.AsSpan(e * size, size).Fill(0xFF));
        }
        Tensor[] shared = sharedCount == 0 ? [] :
        [
            .. Tensor.Weights(format, random, 1 / Math.Sqrt(width), 2 * sharedCount * hidden, width),
            .. Tensor.Weights(format, random, 1 / Math.Sqrt(hidden), width, sharedCount * hidden),
        ];
        Tensor x = Tensor.Random(random, 1, tokens, width), weights = Tensor.Random(random, 1, tokens, slots);
        new SingleNode(new MoEExperts(config, format), [x, Tensor.Of(chosen, tokens, slots), weights, .. routed, .. shared]).Compare((isa, expected, actual) =>
        {
            Assert.All(expected[0].Floats, value => Assert.True(float.IsFinite(value)));
            Close.Assert($"y of {name} on {isa}, {layer}, tokens {tokens}", expected[0], actual[0]);
        });
    }
}
