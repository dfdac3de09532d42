namespace LatentMoE.Server.Internals.Metrics;

/// <summary>OpenTelemetry's rules for names in Prometheus: dots become underscores, units and <c>_total</c> go to the end.</summary>
internal static class PrometheusNames
{
    public static string Metric(string name, string? unit, MetricKind kind)
    {
        string suffix = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "1" when kind is MetricKind.Gauge => "_ratio",
            _ => "",
        };
        name = Clean(name);
        name = name.EndsWith(suffix, StringComparison.Ordinal) ? name : name + suffix;
        return kind is MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>A name of letters, digits and underscores, as labels must have it.</summary>
    public static string Clean(string name)
    {
        string clean = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return clean.Length > 0 && char.IsAsciiDigit(clean[0]) ? "_" + clean : clean;
    }
}
