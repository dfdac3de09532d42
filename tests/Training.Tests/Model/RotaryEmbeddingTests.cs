using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Model;

[Collection(TorchCollection.Name)]
public class RotaryEmbeddingTests
{
    private static double[] Turned(bool interleave, params double[] x)
    {
        using var scope = NewDisposeScope();
        using var rotary = new RotaryEmbedding(4, 8, 100.0, interleave, ScalarType.Float64);
        var rows = tensor(x, [1, 4]).expand(4, 4).contiguous(); // the same vector at positions 0 to 3
        return rotary.call(rows)[3].data<double>().ToArray();
    }

    // Position 3, width 4, θ = 100: the pairs turn by 3 and by 3 · 100^(−1/2) = 0.3.
    private static (double, double) Turn(double a, double b, double angle) =>
        (a * Math.Cos(angle) - b * Math.Sin(angle), b * Math.Cos(angle) + a * Math.Sin(angle));

    [Fact]
    public void Forward_InterleavedTurnsNeighboursAndReturnsHalves()
    {
        var (a0, b0) = Turn(1, 2, 3);
        var (a1, b1) = Turn(3, 4, 0.3);
        Assert.Equal([a0, a1, b0, b1], Turned(true, 1, 2, 3, 4).Select(x => x), (x, y) => Math.Abs(x - y) < 1e-12);
    }

    [Fact]
    public void Forward_HalvesTurnsElementsHalfTheWidthApart()
    {
        var (a0, b0) = Turn(1, 3, 3);
        var (a1, b1) = Turn(2, 4, 0.3);
        Assert.Equal([a0, a1, b0, b1], Turned(false, 1, 2, 3, 4).Select(x => x), (x, y) => Math.Abs(x - y) < 1e-12);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Forward_ScoresDependOnTheDistanceOnly(bool interleave)
    {
        using var scope = NewDisposeScope();
        using var rotary = new RotaryEmbedding(8, 16, 10_000.0, interleave, ScalarType.Float64);
        manual_seed(7);
        var q = rotary.call(randn([1, 8], dtype: ScalarType.Float64).expand(16, 8).contiguous());
        var k = rotary.call(randn([1, 8], dtype: ScalarType.Float64).expand(16, 8).contiguous());
        var scores = q.matmul(k.t());
        Models.AssertClose("scores 3 apart", scores[5, 2], scores[14, 11], 1e-12);
    }
}
