using LatentMoE.Training.Study;

namespace LatentMoE.Training.Tests.Study;

public class IntervalTests
{
    [Fact]
    public void Of_ThreeSamplesByHand()
    {
        // Mean 2, deviation 1, t(2) = 4.3027: half-width 4.3027 / √3.
        var interval = Interval.Of([1, 2, 3]);
        Assert.Equal(2, interval.Mean);
        Assert.Equal(2.4842, interval.HalfWidth!.Value, 4);
        Assert.Equal(-0.4842, interval.Low, 4);
        Assert.Equal(4.4842, interval.High, 4);
    }

    [Fact]
    public void Of_ManySamplesApproachesTheNormal()
    {
        double[] samples = [.. Enumerable.Range(0, 1000).Select(i => (double)(i % 2))];
        Assert.Equal(1.96 * Math.Sqrt(0.25 * 1000 / 999 / 1000), Interval.Of(samples).HalfWidth!.Value, 10);
    }

    [Fact]
    public void Of_OneSampleTellsNothingOfTheSpread()
    {
        var interval = Interval.Of([5]);
        Assert.Null(interval.HalfWidth);
        Assert.Equal(double.NegativeInfinity, interval.Low);
        Assert.Equal(double.PositiveInfinity, interval.High);
    }

    [Fact]
    public void Of_CoversTheTruthNinetyFiveTimesInAHundred()
    {
        var random = new Random(1);
        int covered = 0;
        for (int i = 0; i < 20_000; i++)
        {
            var interval = Interval.Of([Normal(), Normal(), Normal()]);
            covered += interval.Low <= 0 && interval.High >= 0 ? 1 : 0;
        }
        Assert.InRange(covered / 20_000.0, 0.944, 0.956);

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}
