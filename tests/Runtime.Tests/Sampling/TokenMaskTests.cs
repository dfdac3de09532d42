using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class TokenMaskTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.03)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Apply_TakesTheOthersAndNoMore(double share)
    {
        var random = new Random(1);
        foreach (int vocabulary in (int[])[1, 5, 63, 64, 65, 127, 128, 300])
        {
            var allowed = Enumerable.Range(0, vocabulary).Where(_ => random.NextDouble() < share).ToHashSet();
            float[] logits = [.. Enumerable.Range(0, vocabulary).Select(id => (float)id)];
            TokenMask.Apply(new BitConstraint(vocabulary, allowed.Contains).Allowed(), logits);
            Assert.Equal(Enumerable.Range(0, vocabulary).Select(id => allowed.Contains(id) ? id : float.NegativeInfinity), logits);
        }
    }
}
