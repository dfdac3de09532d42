using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace LatentMoE.Server.Internals.Metrics;

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>All series of one name, in the words of Prometheus.</summary>
/// <param name="bounds">Upper bounds of a histogram's buckets, but for the last, which has none.</param>
internal sealed class MetricFamily(string name, MetricKind kind, string help, IReadOnlyList<double> bounds)
{
    // Labels are few by design; this keeps a mistake from filling the memory.
    private const int MostSeries = 500;

    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);

    public void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, bool replace)
    {
        string labels = Labels(instrument.Meter.Name, tags);
        if (_series.TryGetValue(labels, out var series) || _series.Count < MostSeries)
        {
            (series ?? _series.GetOrAdd(labels, _ => new MetricSeries(bounds))).Add(value, replace);
        }
    }

    /// <summary>Forgets values that are about to be observed anew.</summary>
    public void Clear() => _series.Clear();

    public void Write(StringBuilder text)
    {
        if (_series.IsEmpty)
        {
            return;
        }
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {Escape(help)}\n# TYPE {name} {kind.ToString().ToLowerInvariant()}\n");
        foreach (var (labels, series) in _series.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            series.Write(text, name, labels, kind);
        }
    }

    private static string Labels(string meter, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["otel_scope_name"] = Escape(meter) };
        foreach (var (key, value) in tags)
        {
            labels[PrometheusNames.Clean(key)] = Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "").Replace("\"", "\\\"", StringComparison.Ordinal);
        }
        return string.Join(',', labels.Select(label => $"{label.Key}=\"{label.Value}\""));
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
