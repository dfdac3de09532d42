using System.Diagnostics.Metrics;
using LatentMoE.Server.Internals.Metrics;

namespace LatentMoE.Server.Tests.Metrics;

public class PrometheusCollectorTests
{
    [Fact]
    public void Scrape_CountersAddUp_GaugesKeepTheLast_ByLabels()
    {
        using var meter = new Meter("test");
        using var collector = new PrometheusCollector(instrument => instrument.Meter == meter);
        var counter = meter.CreateCounter<long>("a.count", "{thing}", "Things.");
        var gauge = meter.CreateGauge<double>("a.level", "By");
        counter.Add(2, new KeyValuePair<string, object?>("kind.of", "x"));
        counter.Add(3, new KeyValuePair<string, object?>("kind.of", "x"));
        counter.Add(5, new KeyValuePair<string, object?>("kind.of", "y \"\\\n"));
        gauge.Record(7);
        gauge.Record(-1.5);
        string text = collector.Scrape();
        Assert.Contains("# HELP a_count_total Things.\n# TYPE a_count_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("a_count_total{kind_of=\"x\",otel_scope_name=\"test\"} 5\n", text, StringComparison.Ordinal);
        Assert.Contains("a_count_total{kind_of=\"y \\\"\\\\\\n\",otel_scope_name=\"test\"} 5\n", text, StringComparison.Ordinal);
        Assert.Contains("a_level_bytes{otel_scope_name=\"test\"} -1.5\n", text, StringComparison.Ordinal);
        _ = new PrometheusText(text);
    }

    [Fact]
    public void Scrape_HistogramBuckets_AreCumulative_AndTakeTheirBoundsFromTheInstrument()
    {
        using var meter = new Meter("test");
        using var collector = new PrometheusCollector(instrument => instrument.Meter == meter);
        var histogram = meter.CreateHistogram("a.time", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2.5] });
        foreach (double value in new[] { 0.5, 1, 1.5, 9 })
        {
            histogram.Record(value);
        }
        var text = new PrometheusText(collector.Scrape());
        Assert.Equal([2, 3, 4], text.Values("a_time_seconds_bucket"));
        Assert.Equal((12, 4), (text.Sum("a_time_seconds_sum"), text.Sum("a_time_seconds_count")));
        Assert.Equal(2, text.Sum("a_time_seconds_bucket", "le=\"1\""));
    }

    [Fact]
    public void Scrape_ObservedValues_AreThoseOfNow()
    {
        using var meter = new Meter("test");
        using var collector = new PrometheusCollector(instrument => instrument.Meter == meter);
        int value = 4;
        meter.CreateObservableCounter("a.total", () => value);
        meter.CreateObservableGauge("a.gauge", () => new[] { new Measurement<int>(value, new KeyValuePair<string, object?>("only", value)) });
        collector.Scrape();
        value = 6;
        var text = new PrometheusText(collector.Scrape());
        Assert.Equal([6], text.Values("a_total"));
        Assert.Equal([6], text.Values("a_gauge"));
    }

    [Fact]
    public void OtherMeters_AreNotListenedTo()
    {
        using var meter = new Meter("test");
        using var collector = new PrometheusCollector(instrument => instrument.Meter == meter);
        using var other = new Meter("test");
        other.CreateCounter<int>("b").Add(1);
        Assert.Equal("", collector.Scrape());
    }

    [Fact]
    public void TooManyLabels_DoNotGrowWithoutBound()
    {
        using var meter = new Meter("test");
        using var collector = new PrometheusCollector(instrument => instrument.Meter == meter);
        var counter = meter.CreateCounter<int>("a");
        for (int i = 0; i < 2000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        }
        Assert.Equal(500, new PrometheusText(collector.Scrape()).Values("a_total").Count);
    }
}
