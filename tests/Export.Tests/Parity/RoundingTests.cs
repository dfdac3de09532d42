using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Tests.Parity;

public sealed class RoundingTests
{
    [Fact]
    public void Of_EqualLogits_CostsNothing()
    {
        float[] logits = [0, 1, 2, 3, -1, 4];
        var rounding = Rounding.Of([1, 2], 1, logits, logits);
        Assert.Equal((0.0, 0.0), (rounding.MaxDifference, rounding.RootMeanSquare));
        Assert.Equal(0, rounding.Divergence, 1e-12);
        Assert.Equal(rounding.ReferenceLoss, rounding.Loss);
    }

    [Fact]
    public void Of_TwoRows_HasTheFiguresOfTheirFormulas()
    {
        // Two rows of two tokens over two words: probabilities 1/2 and 1/2 in the reference, 3/4 and 1/4 in the package.
        float three = MathF.Log(3);
        float[] reference = [0, 0, 1, 1, 2, 2, 0, 0], logits = [three, 0, three, 0, three, 0, three, 0];
        var rounding = Rounding.Of([0, 1, 1, 0], 2, logits, reference);
        Assert.Equal(2 / 2.0, rounding.MaxDifference, 1e-6);
        Assert.Equal(0.5 * Math.Log(2 / 3.0) + 0.5 * Math.Log(2), rounding.Divergence, 1e-6);
        Assert.Equal(Math.Log(2), rounding.ReferenceLoss!.Value, 1e-6);
        // The first row's second token is word 1, the second row's is word 0.
        Assert.Equal((Math.Log(4) + Math.Log(4 / 3.0)) / 2, rounding.Loss!.Value, 1e-6);
    }

    [Fact]
    public void Of_SingleTokens_HasNoLoss() => Assert.Null(Rounding.Of([1, 0], 2, [1, 2, 3, 4], [1, 2, 3, 4]).Loss);

    [Fact]
    public void Text_NamesTheChangeOfPerplexity() =>
        Assert.EndsWith("loss 1.5100 nats a token instead of 1.5000 (perplexity +1.01%)", new Rounding(0.1, 0.01, 0.001, 1.51, 1.5).Text(), StringComparison.Ordinal);

    [Theory]
    [InlineData(Measure.Maximum, 3)]
    [InlineData(Measure.RootMeanSquare, 1.5)]
    public void Difference_OfAMeasure_IsThatOverTheRange(Measure measure, double expected)
    {
        var difference = Difference.Of([1, 2, 3, 7], [1, 2, 3, 4], measure);
        Assert.Equal((expected, expected / 3), (difference.Value, difference.Relative));
    }
}
