using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using LatentMoE.Tests.Support.Reference;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Operators;

public sealed class LatentAttentionTests
{
    // The full form pays from six new tokens on.
    private static readonly ModelConfig Small = TestConfigs.LatentMoE with
    {
        NumAttentionHeads = 3, KvLoraRank = 16, QkNopeHeadDim = 4, QkRopeHeadDim = 6, VHeadDim = 4, MaxPositionEmbeddings = 64,
    };

    // It never pays here: the body has the absorbed form alone.
    private static readonly ModelConfig WideHeads = Small with { KvLoraRank = 8, QkNopeHeadDim = 10, VHeadDim = 7, QkRopeHeadDim = 2 };

    [Fact]
    public void FullFormFrom_ComparesTheOperationsOfBothForms()
    {
        Assert.Equal(6, new LatentAttention(Small).FullFormFrom);
        Assert.Null(new LatentAttention(WideHeads).FullFormFrom);
    }

    public static TheoryData<string, int, int, int> Shapes()
    {
        var data = new TheoryData<string, int, int, int>();
        foreach (string config in new[] { "small", "halves", "wide" })
        {
            foreach (var (batch, tokens, past) in new[] { (1, 1, 0), (2, 1, 5), (1, 5, 0), (2, 6, 0), (1, 7, 4), (3, 20, 9) })
            {
                data.Add(config, batch, tokens, past);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void LatentAttention_GrowingCache_MatchesTheReference(string config, int batch, int tokens, int past) =>
        Check(Named(config), batch, tokens, past, past + tokens,
            positions: (_, s) => past + s, mask: (_, _) => 1);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void LatentAttention_SharedBuffer_KeepsItsLength(string config, int batch, int tokens, int past) =>
        Check(Named(config), batch, tokens, past + tokens + 4, past + tokens,
            positions: (_, s) => past + s, mask: (_, _) => 1);

    [Fact]
    public void LatentAttention_LeftPads_AreNotWritten() =>
        Check(Small, 2, 7, 0, 7, positions: (b, s) => b == 0 ? s : Math.Max(s - 3, 1), mask: (b, t) => b == 0 || t >= 3 ? 1 : 0);

    [Fact]
    public void LatentAttention_RightPads_AreNotWritten() =>
        Check(Small, 2, 7, 0, 7, positions: (b, s) => b == 0 || s < 4 ? s : 0, mask: (b, t) => b == 0 || t < 4 ? 1 : 0);

    [Fact]
    public void LatentAttention_TokenAfterRightPads_TakesTheSlotOfItsPosition() =>
        Check(Small, 2, 1, 7, 8, positions: (b, _) => b == 0 ? 7 : 4, mask: (b, t) => b == 0 || t < 4 || t == 7 ? 1 : 0);

    [Fact]
    public void LatentAttention_StaticMask_FindsItsTokensUnderTheLastUsedColumns() =>
        Check(Small, 1, 4, 30, 30, positions: (_, s) => 10 + s, mask: (_, t) => t < 14 ? 1 : 0);

    [Fact]
    public void LatentAttention_StaticMaskOfAnEmptyCache_GrowsToItsLength() =>
        Check(Small, 1, 4, 0, 12, positions: (_, s) => s, mask: (_, t) => t < 4 ? 1 : 0);

    [Fact]
    public void LatentAttention_EngineMask_UsesEveryRowsOwnPosition() =>
        Check(Small, 3, 1, 20, 1, positions: (b, _) => new[] { 13, 2, 19 }[b], mask: (_, _) => 1);

    [Fact]
    public void LatentAttention_IdleRow_WritesNothing() =>
        Check(Small, 3, 2, 20, 2, positions: (b, s) => b == 1 ? -1 : 5 + s, mask: (_, _) => 1);

    [Fact]
    public void LatentAttention_MaskValuesOtherThanOne_CountAsOne() =>
        Check(Small, 1, 3, 0, 3, positions: (_, s) => s, mask: (_, t) => t + 1);

    [Fact]
    public void LatentAttention_RewrittenPosition_ReplacesTheRow() =>
        Check(Small, 1, 2, 9, 6, positions: (_, s) => 4 + s, mask: (_, _) => 1);

    [Theory]
    [InlineData("f16", 1)]
    [InlineData("f16", 9)]
    [InlineData("bf16", 1)]
    [InlineData("bf16", 9)]
    public void LatentAttention_NarrowExpansion_UsesTheStoredValues(string format, int tokens) =>
        Check(Small, 2, tokens, 4, 4 + tokens, positions: (_, s) => 4 + s, mask: (_, _) => 1, StoredFormats.Named(format));

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1, 12, 13)]
    [InlineData(9, 4, 13)]
    [InlineData(5, 20, 14)]
    public void LatentAttention_HalfCache_KeepsRoundedRows(int tokens, int past, int total) =>
        Check(Small, 2, tokens, past, total, positions: (_, s) => total - tokens + s, mask: (_, _) => 1, half: true);

    [Theory]
    [InlineData("f16", "f16", 1)]
    [InlineData("f16", "f16", 9)]
    [InlineData("bf16", "bf16", 1)]
    [InlineData("bf16", "f16", 9)]
    public void LatentAttention_NarrowActivations_KeepTheirTypeInTheCache(string type, string expansion, int tokens)
    {
        foreach (int past in new[] { 0, 4, 4 + tokens + 3 })
        {
            int first = Math.Min(past, 4);
            Check(Small, 2, tokens, past, first + tokens, (_, s) => first + s, (_, _) => 1, StoredFormats.Named(expansion), activations: Activations.Named(type));
        }
    }

    [Theory]
    [MemberData(nameof(Activations.Narrow), MemberType = typeof(Activations))]
    public void LatentAttention_NarrowActivations_LeavePadsAndIdleRowsUnwritten(string type)
    {
        var expansion = StoredFormats.Named(type);
        Check(Small, 2, 7, 0, 7, (b, s) => b == 0 ? s : Math.Max(s - 3, 1), (b, t) => b == 0 || t >= 3 ? 1 : 0, expansion, activations: Activations.Named(type));
        Check(Small, 3, 2, 20, 2, (b, s) => b == 1 ? -1 : 5 + s, (_, _) => 1, expansion, activations: Activations.Named(type));
    }

    private static ModelConfig Named(string name) => name switch { "small" => Small, "halves" => Small with { RopeInterleave = false }, _ => WideHeads };

    private static void Check(ModelConfig c, int batch, int tokens, int past, int total, Func<int, int, int> positions, Func<int, int, int> mask,
        WeightFormat? format = null, bool half = false, Activations? activations = null)
    {
        var random = new RandomNumbers(batch * 1000 + tokens * 10 + past);
        int heads = c.NumAttentionHeads, width = c.KvLoraRank + c.QkRopeHeadDim, part = width / 2;
        float[] q = random.Normal(batch * tokens * heads * c.QkHeadDim, 1), kv = random.Normal(batch * tokens * width, 1), norm = random.Normal(c.KvLoraRank, 0.1, 1);
        (q, kv) = (activations?.Round(q) ?? q, activations?.Round(kv) ?? kv);
        var (stored, expand) = OperatorRunner.Stored(format ?? WeightFormat.Float32, random.Normal(heads * (c.QkNopeHeadDim + c.VHeadDim) * c.KvLoraRank, 0.4),
            heads * (c.QkNopeHeadDim + c.VHeadDim), c.KvLoraRank);
        float[] rows = random.Normal(batch * past * width, 1);
        if (half)
        {
            rows = Array.ConvertAll(rows, v => (float)(Half)v);
        }
        rows = activations?.Round(rows) ?? rows;
        long[] at = [.. Enumerable.Range(0, batch * tokens).Select(i => (long)positions(i / tokens, i % tokens))];
        long[] seen = [.. Enumerable.Range(0, batch * total).Select(i => (long)mask(i / total, i % total))];
        float[] Table(Func<double, double> f) => [.. Enumerable.Range(0, c.MaxPositionEmbeddings * c.QkRopeHeadDim / 2).Select(i =>
            (float)f(i / (c.QkRopeHeadDim / 2) * Math.Pow(c.RopeTheta, -2.0 * (i % (c.QkRopeHeadDim / 2)) / c.QkRopeHeadDim)))];
        OperatorRunner.Input Active(float[] values, params long[] shape) => activations?.Input(values, shape) ?? new(values, shape);
        OperatorRunner.Input Cached(float[] values) => half ? new(Array.ConvertAll(values, v => (Float16)v), batch, 1, past, part) : Active(values, batch, 1, past, part);
        double limit = half ? 1e-3 : 2 * activations?.Limit ?? 2e-6;
        float[] Part(int start) => [.. Enumerable.Range(0, batch * past * part).Select(i => rows[i / part * width + start + i % part])];

        var type = activations?.Type ?? DataType.Float;
        var outputs = OperatorRunner.Run(new LatentAttention(c, format, half ? DataType.Float16 : type, type),
            Active(q, batch, tokens, heads * c.QkHeadDim), Active(kv, batch, tokens, width), new(norm, c.KvLoraRank),
            stored[0],
            new(Table(Math.Cos), c.MaxPositionEmbeddings, c.QkRopeHeadDim / 2), new(Table(Math.Sin), c.MaxPositionEmbeddings, c.QkRopeHeadDim / 2),
            new(at, batch, tokens), new(seen, batch, total), Cached(Part(0)), Cached(Part(part)));

        var reference = new ReferenceLatentAttention(heads, c.QkNopeHeadDim, c.QkRopeHeadDim, c.VHeadDim, c.KvLoraRank, c.RopeTheta, c.RmsNormEps, c.RopeInterleave);
        var (expected, present) = reference.Forward(ReferenceMath.ToDouble(q), ReferenceMath.ToDouble(kv), norm, expand, at, seen, ReferenceMath.ToDouble(rows), batch);
        int columns = Math.Max(past, total), block = heads * c.VHeadDim;
        Assert.Equal([batch, tokens, block], outputs[0].Shape);
        Assert.Equal([batch, 1, columns, part], outputs[1].Shape);
        Assert.Equal([batch, 1, columns, part], outputs[2].Shape);
        double[] Present(int start) => [.. Enumerable.Range(0, batch * columns * part).Select(i => present[i / part * width + start + i % part])];
        Close.Assert("present_key", Present(0), outputs[1].Floats, limit);
        Close.Assert("present_value", Present(part), outputs[2].Floats, limit);
        Assert.All(outputs[0].Floats, v => Assert.True(float.IsFinite(v)));
        for (int i = 0; i < at.Length; i++)
        {
            if (at[i] >= 0)
            {
                Close.Assert($"out of row {i / tokens}, token {i % tokens}", expected[(i * block)..((i + 1) * block)], outputs[0].Floats.AsSpan(i * block, block), limit);
            }
        }
    }
}
