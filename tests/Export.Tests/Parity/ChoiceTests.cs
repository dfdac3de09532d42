using LatentMoE.Export.Parity;

namespace LatentMoE.Export.Tests.Parity;

public sealed class ChoiceTests
{
    // Three tokens over three words.
    private static readonly float[] Expected = [0, 8, 2, 5, 4, 0, -2, -1, -1];

    [Fact]
    public void Of_EqualLogits_IsTheSameThroughout()
    {
        var choice = Choice.Of(3, Expected, Expected);
        Assert.Equal((3, 3, 0.0), (choice.Tokens, choice.Same, choice.Gap));
        Assert.Equal("the likeliest next token is the same after 3 of 3 tokens", choice.Text());
    }

    [Fact]
    public void Of_AnotherChoice_HasTheGapInTheExpectedLogits()
    {
        var choice = Choice.Of(3, [0, 9, 2, 5, 5.5f, 0, -2, -1, -0.5f], Expected);
        Assert.Equal((3, 1), (choice.Tokens, choice.Same));
        Assert.Equal(1 / 10.0, choice.Gap, 1e-9); // the third token's two words are equal
        Assert.EndsWith("the float32 form has the two at most 1.0e-1 of the range apart", choice.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_EqualLogitsOfTwoWords_TakesTheFirst() => Assert.Equal(3, Choice.Of(3, [0, 8, 8, 5, 5, 0, -3, 0, 0], Expected).Same);
}
