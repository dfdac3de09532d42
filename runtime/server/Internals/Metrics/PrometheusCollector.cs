using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace LatentMoE.Server.Internals.Metrics;

/// <summary>Listens to instruments and writes what they measured as Prometheus reads it (text format 0.0.4).</summary>
internal sealed class PrometheusCollector : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly double[] DefaultBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<MetricFamily, byte> _observed = new();
    private readonly Lock _scrape = new();

    /// <param name="wanted">Which instruments to listen to.</param>
    public PrometheusCollector(Func<Instrument, bool> wanted)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (wanted(instrument))
            {
                listener.EnableMeasurementEvents(instrument, Family(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<byte>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<short>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<float>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, state) => Add(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((instrument, value, tags, state) => Add(instrument, (double)value, tags, state));
        _listener.Start();
    }

    public string Scrape()
    {
        lock (_scrape)
        {
            foreach (var family in _observed.Keys)
            {
                family.Clear();
            }
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var (_, family) in _families.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                family.Write(text);
            }
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    // Instruments that several engines observe under one name add up; a gauge that is set keeps its last value.
    private static void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? family) =>
        ((MetricFamily)family!).Add(instrument, value, tags, replace: Generic(instrument) == typeof(Gauge<>));

    private MetricFamily Family(Instrument instrument)
    {
        var type = Generic(instrument);
        var kind = type == typeof(Histogram<>) ? MetricKind.Histogram
            : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter : MetricKind.Gauge;
        string name = PrometheusNames.Metric(instrument.Name, instrument.Unit, kind);
        var family = _families.GetOrAdd(name, _ => new MetricFamily(
            name, kind, instrument.Description ?? instrument.Name, kind is MetricKind.Histogram ? Bounds(instrument) ?? DefaultBounds : []));
        if (instrument.IsObservable)
        {
            _observed.TryAdd(family, 0);
        }
        return family;
    }

    private static Type? Generic(Instrument instrument) => instrument.GetType() is { IsGenericType: true } type ? type.GetGenericTypeDefinition() : null;

    private static IReadOnlyList<double>? Bounds(Instrument instrument) => instrument switch
    {
        Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
        Histogram<float> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
        Histogram<long> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
        Histogram<int> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
        _ => null,
    };
}
