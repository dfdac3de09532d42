namespace LatentMoE.Tests.Support;

/// <summary>Seeded numbers for tests: the same on every machine.</summary>
public sealed class RandomNumbers(int seed)
{
    private readonly Random random = new(seed);

    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public float[] Normal(long count, double deviation, double mean = 0)
    {
        var result = new float[count];
        for (long i = 0; i < count; i++)
        {
            result[i] = (float)(mean + deviation * Normal());
        }
        return result;
    }

    /// <summary>A whole number from <paramref name="low"/> to <paramref name="high"/> − 1.</summary>
    public int Next(int low, int high) => random.Next(low, high);
}
