using LatentMoE.Runtime.Sampling;

namespace LatentMoE.Runtime.Tests.Sampling;

public class RandomStreamTests
{
    [Fact]
    public void NextUInt64_GivesThePublishedSequence()
    {
        // xoshiro256** from the state 1, 2, 3, 4
        var random = new RandomStream(1, 2, 3, 4);
        ulong[] expected = [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360];
        Assert.Equal(expected, expected.Select(_ => random.NextUInt64()));
    }

    [Fact]
    public void Seed_FillsTheStateBySplitMix()
    {
        // splitmix64 from 0
        var expected = new RandomStream(0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC);
        var random = new RandomStream(0);
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Equal(expected.NextUInt64(), random.NextUInt64()));
    }

    [Fact]
    public void NextDouble_IsUniform()
    {
        var random = new RandomStream(7);
        var counts = new int[64];
        for (int i = 0; i < 64_000; i++)
        {
            counts[(int)(random.NextDouble() * 64)]++;
        }
        ChiSquare.Matches(Enumerable.Repeat(1.0 / 64, 64).ToArray(), counts);
    }
}
