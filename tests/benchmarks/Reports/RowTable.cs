using System.Globalization;
using LatentMoE.Benchmarks.Engines;

namespace LatentMoE.Benchmarks.Reports;

/// <summary>
/// Rows as cells, each with its ratio to the bodies and to the peer at the same case. The peer's cache is of its own type, whatever ours
/// is: its table says which.
/// </summary>
internal static class RowTable
{
    public static string[] Columns { get; } =
    [
        "model", "precision", "cache", "case", "engine", "tokens/s", "range", "µs a run", "x bodies", "x peer", "MB/token", "bandwidth",
        "arithmetic", "experts", "nodes", "memory MiB", "load ms", "cache buffer", "steps",
    ];

    public static IEnumerable<string[]> Lines(IReadOnlyList<Row> rows) => rows.Select(row => Line(row, rows));

    public static string CaseOf(Row row) => row.Phase == Case.Prefill
        ? string.Create(CultureInfo.InvariantCulture, $"prefill {row.Context}")
        : string.Create(CultureInfo.InvariantCulture, $"decode at {row.Context}, batch {row.Batch}");

    /// <summary>Of the weights, and of the activations where they are not float32.</summary>
    public static string TypesOf(Row row) => row.Activations is null or "f32" ? row.Precision : $"{row.Precision}, {row.Activations} activations";

    private static string[] Line(Row row, IReadOnlyList<Row> rows) =>
    [
        row.Preset, TypesOf(row), row.Cache ?? "", CaseOf(row), row.Engine,
        Speed(row.TokensPerSecond),
        row is { Minimum: { } low, Maximum: { } high } ? $"{Speed(low)}–{Speed(high)}" : "",
        Number(row.Microseconds, "0"),
        Ratio(row, rows.FirstOrDefault(other => other.Engine == Engine.Bodies && TypesOf(other) == TypesOf(row) && other.Cache == row.Cache
            && other.IsComparable(row))),
        Ratio(row, rows.FirstOrDefault(other => !Engine.IsKnown(other.Engine) && other.IsComparable(row))),
        Number(row.BytesPerToken / 1e6, "0.0"),
        Number(100 * row.BandwidthShare, "0'%'"),
        Number(100 * row.ArithmeticShare, "0'%'"),
        row.DistinctExperts is { } distinct ? string.Create(CultureInfo.InvariantCulture, $"{distinct}/{row.RoutedExperts}") : "",
        Number(row.Nodes, "0"),
        Number(row.MemoryBytes / 1048576.0, "0")
            + Number(row.MemoryBytes / (double?)(row.PackageBytes + row.CacheBytes), "' ('0.00'x)'"),
        Number(row.LoadMilliseconds, "0"), row.CacheMode ?? "", row.Steps?.ToString(CultureInfo.InvariantCulture) ?? "",
    ];

    private static string Ratio(Row row, Row? other) =>
        other is null || other.Engine == row.Engine ? "" : Number(row.TokensPerSecond / other.TokensPerSecond, "0.00");

    private static string Speed(double value) => Number(value, value < 100 ? "0.0" : "0");

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
