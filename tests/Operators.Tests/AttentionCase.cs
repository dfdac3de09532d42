using LatentMoE.Export.Formats;
using LatentMoE.Export.Operators;
using LatentMoE.Tests.Support;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <param name="Rank">r</param>
/// <param name="Nope">dn</param>
/// <param name="Rope">dr</param>
/// <param name="Value">dv</param>
internal sealed record AttentionShape(int Heads, int Rank, int Nope, int Rope, int Value, bool Interleave = true);

/// <summary>One call of LatentAttention with random contents.</summary>
/// <param name="Past">P</param>
/// <param name="Total">T, the mask's length.</param>
/// <param name="Positions">Of row and token.</param>
/// <param name="Mask">Of row and column.</param>
internal sealed record AttentionCase(
    AttentionShape Shape, int Batch, int Tokens, int Past, int Total, Func<int, int, long> Positions, Func<int, int, long> Mask)
{
    private int Width => Shape.Rank + Shape.Rope;

    /// <summary>Of q, kv, out and, where it is not float32, the cache.</summary>
    public DataType Activations { get; init; } = DataType.Float;

    /// <summary>The first cached column of a row that is NaN.</summary>
    public Func<int, int> SpoiledFrom { get; init; } = _ => int.MaxValue;

    /// <summary>Compares the library, on every instruction set, with the body.</summary>
    /// <param name="half">A float16 cache.</param>
    public void Check(string expansion, bool half) => Node(expansion, half).Compare((isa, expected, actual) =>
        // Two float32 results beside a rounding border are a whole step of float16 apart, of which few come to a sum.
        Compare($"{expansion}, cache {(half ? "f16" : "f32")} on {isa}", expected, actual, half ? 1e-4 : 1e-5, half ? 1e-3 : 1e-5));

    /// <summary>Compares what is to be the same.</summary>
    public void Compare(string what, Tensor[] expected, Tensor[] actual, double limit, double cacheLimit)
    {
        string name = $"{what}, {Shape}, batch {Batch}, tokens {Tokens}, past {Past}, mask {Total}";
        Close.Assert($"present_key of {name}", expected[1], actual[1], cacheLimit);
        Close.Assert($"present_value of {name}", expected[2], actual[2], cacheLimit);
        Assert.Equal(expected[0].Shape, actual[0].Shape);
        Assert.All(actual[0].Floats, value => Assert.True(float.IsFinite(value), $"out of {name} holds {value}"));
        int block = Shape.Heads * Shape.Value;
        bool Idle(int i) => Positions(i / block / Tokens, i / block % Tokens) < 0; // what an idle row gives is nobody's business
        float[] Live(Tensor y) => [.. y.Floats.Where((_, i) => !Idle(i))];
        Close.Assert($"out of {name}", Live(expected[0]), Live(actual[0]), limit);
    }

    public SingleNode Node(string expansion, bool half)
    {
        var (heads, rank, nope, rope, value, interleave) = Shape;
        int positions = Math.Max(Past, Total), part = Width / 2;
        var config = TestConfigs.LatentMoE with
        {
            NumAttentionHeads = heads, KvLoraRank = rank, QkNopeHeadDim = nope, QkRopeHeadDim = rope, VHeadDim = value,
            MaxPositionEmbeddings = positions, RopeInterleave = interleave,
        };
        var random = new RandomNumbers(Batch * 1000 + Tokens * 10 + Past);
        DataType cache = Activations != DataType.Float ? Activations : half ? DataType.Float16 : DataType.Float;
        WeightFormat format = Formats.Of(expansion);
        Tensor Table(Func<double, double> f) => Tensor.Of(
            [.. Enumerable.Range(0, positions * rope / 2).Select(i => (float)f(i / (rope / 2) * Math.Pow(config.RopeTheta, -2.0 * (i % (rope / 2)) / rope)))],
            positions, rope / 2);
        Tensor Cache()
        {
            float[] values = random.Normal((long)Batch * Past * part, 1);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = i / part % Past < SpoiledFrom(i / part / Past) ? values[i] : float.NaN;
            }
            return Tensor.Of(values, Batch, 1, Past, part).As(cache);
        }
        return new(new LatentAttention(config, format, cache, Activations),
        [
            Tensor.Random(random, 1, Batch, Tokens, heads * (nope + rope)).As(Activations),
            Tensor.Random(random, 1, Batch, Tokens, Width).As(Activations),
            Tensor.Of(random.Normal(rank, 0.1, mean: 1), rank),
            .. Tensor.Weights(format, random, 1 / Math.Sqrt(rank), heads * (nope + value), rank),
            Table(Math.Cos), Table(Math.Sin),
            Tensor.Of([.. Enumerable.Range(0, Batch * Tokens).Select(i => Positions(i / Tokens, i % Tokens))], Batch, Tokens),
            Tensor.Of([.. Enumerable.Range(0, Batch * Total).Select(i => Mask(i / Total, i % Total))], Batch, Total),
            Cache(), Cache(),
        ]);
    }
}
