using System.Globalization;
using System.Text;

namespace LatentMoE.Server.Internals.Metrics;

/// <summary>The values of one set of labels. Safe for use from many threads.</summary>
internal sealed class MetricSeries(IReadOnlyList<double> bounds)
{
    private readonly Lock _gate = new();
    private readonly long[] _buckets = new long[bounds.Count + 1];
    private double _value;

    /// <param name="replace">Whether the value takes the place of the last one rather than adding to it.</param>
    public void Add(double value, bool replace)
    {
        int bucket = 0;
        while (bucket < bounds.Count && value > bounds[bucket])
        {
            bucket++;
        }
        lock (_gate)
        {
            _value = replace ? value : _value + value;
            _buckets[bucket]++;
        }
    }

    public void Write(StringBuilder text, string name, string labels, MetricKind kind)
    {
        lock (_gate)
        {
            if (kind is not MetricKind.Histogram)
            {
                Line(text, name, labels, _value);
                return;
            }
            long count = 0;
            for (int i = 0; i < _buckets.Length; i++)
            {
                count += _buckets[i];
                Line(text, name + "_bucket", $"{labels},le=\"{(i < bounds.Count ? Number(bounds[i]) : "+Inf")}\"", count);
            }
            Line(text, name + "_sum", labels, _value);
            Line(text, name + "_count", labels, count);
        }
    }

    private static void Line(StringBuilder text, string name, string labels, double value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {Number(value)}\n");

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
