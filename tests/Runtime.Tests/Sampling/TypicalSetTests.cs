using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class TypicalSetTests
{
    [Theory]
    [InlineData(1e-6f, new[] { 1 })]
    [InlineData(0.3f, new[] { 1, 2 })]
    [InlineData(0.41f, new[] { 0, 1, 2 })]
    [InlineData(0.81f, new[] { 0, 1, 2, 3 })]
    [InlineData(0.999f, new[] { 0, 1, 2, 3, 4 })]
    public void Apply_KeepsTheFewestNearestToTheEntropy(float mass, int[] expected)
    {
        // Shares of 0.4, 0.2 and 0.1. On the average a token has 0.8 bits more than the first: that one is 0.8 bits away, the others 0.2 and 1.2.
        float[] weights = [1, 0.5f, 0.5f, 0.25f, 0.25f];
        Assert.Equal(expected, Kept(weights, new() { Temperature = 1, TypicalP = mass }));
    }

    [Fact]
    public void Apply_EqualWeights_KeepsTheLowerIds()
    {
        Assert.Equal([0, 1, 2], Kept([1, 1, 1, 1, 1], new() { Temperature = 1, TypicalP = 0.5f }));
    }

    [Fact]
    public void Apply_AnotherLimitsTokens_StayOutAndDoNotCount()
    {
        var options = new GenerationOptions { Temperature = 0.5f, TypicalP = 0.5f };
        float[] logits = [0, -1, -1, float.NegativeInfinity, -2, -2], weights = [0, MathF.Exp(-2), MathF.Exp(-2), 0, 0, MathF.Exp(-4)];
        using var typical = new TypicalSet(options, logits.Length);
        typical.Apply(logits, 0, weights);
        Assert.Equal([0, MathF.Exp(-2), MathF.Exp(-2), 0, 0, 0], weights);
    }

    private static int[] Kept(float[] weights, GenerationOptions options)
    {
        float[] left = [.. weights];
        using var typical = new TypicalSet(options, weights.Length);
        typical.Apply([.. weights.Select(w => MathF.Log(w))], 0, left);
        Assert.All(left, (w, id) => Assert.True(w == 0 || w == weights[id]));
        return [.. Enumerable.Range(0, left.Length).Where(id => left[id] > 0)];
    }
}
