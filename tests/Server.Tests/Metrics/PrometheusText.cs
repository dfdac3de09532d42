using System.Globalization;
using System.Text.RegularExpressions;

namespace LatentMoE.Server.Tests.Metrics;

/// <summary>Reads Prometheus' text format, strictly: every line must be a comment or a sample of a family whose type was given.</summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, double> _samples = [];

    public PrometheusText(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        string family = "";
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                continue;
            }
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                family = words[2];
                Assert.Contains(words[3], new[] { "counter", "gauge", "histogram" });
                Assert.True(Types.TryAdd(family, words[3]), $"{family} has two types");
                continue;
            }
            var sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            Assert.StartsWith(family, sample.Groups["name"].Value, StringComparison.Ordinal);
            string number = sample.Groups["value"].Value;
            Assert.True(_samples.TryAdd(line[..sample.Groups["value"].Index].TrimEnd(), double.Parse(number, CultureInfo.InvariantCulture)), $"twice: {line}");
        }
    }

    public Dictionary<string, string> Types { get; } = [];

    /// <summary>The sum of the samples of a name whose labels hold all these texts.</summary>
    public double Sum(string name, params string[] labels) => _samples
        .Where(sample => sample.Key.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(label => sample.Key.Contains(label, StringComparison.Ordinal)))
        .Sum(sample => sample.Value);

    /// <summary>The samples of a name in the order of the text.</summary>
    public IReadOnlyList<double> Values(string name, params string[] labels) => [.. _samples
        .Where(sample => sample.Key.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(label => sample.Key.Contains(label, StringComparison.Ordinal)))
        .Select(sample => sample.Value)];

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*",?)*\} (?<value>[-+0-9.eE]+|[-+]Inf|NaN)$""")]
    private static partial Regex Sample();
}
