using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LatentMoE.Benchmarks.Limits;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Reports;

/// <summary>All rows of a measurement with what they were measured on: the content of <c>bench.json</c>.</summary>
/// <param name="Limits">Null where they are not known.</param>
/// <param name="Notes">What could not be measured, and why.</param>
internal sealed record Results(
    DateTime Date, Machine Machine, MachineLimits? Limits, IReadOnlyList<Row> Rows, IReadOnlyList<string> Notes)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";

    public static Results FromJson(string json) => JsonSerializer.Deserialize<Results>(json, Options)!;

    /// <summary>
    /// A peer's rows: a JSON list of rows, or an object with a list under <c>rows</c>. Where <c>runs</c> is a list of speeds, it gives
    /// their number and range.
    /// </summary>
    /// <exception cref="CheckpointException">The file does not hold rows.</exception>
    public static IReadOnlyList<Row> ReadPeer(string path)
    {
        try
        {
            var root = JsonNode.Parse(File.ReadAllBytes(path));
            var rows = (root is JsonObject ? root["rows"] : root) as JsonArray ?? throw new JsonException("there is no list.");
            return [.. rows.Select(row => PeerRow(row as JsonObject ?? throw new JsonException("one is no object.")))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException($"{path}: not a list of rows: {e.Message} Expected objects with preset, precision, engine, phase, "
                + "context, batch, threads and tokens_per_second.", e);
        }
    }

    private static Row PeerRow(JsonObject row)
    {
        if (row["runs"] is JsonArray runs)
        {
            double[] speeds = [.. runs.Select(speed => (double)speed!)];
            (row["runs"], row["minimum"], row["maximum"]) = (speeds.Length, speeds.Min(), speeds.Max());
        }
        return row.Deserialize<Row>(Options)!;
    }
}
