using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Reports;

/// <summary><c>metrics.jsonl</c>: one JSON object a line, appended as training goes; a resumed run first drops what lies beyond its state.</summary>
public sealed class MetricsLog : IDisposable
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly FileStream _stream;
    private readonly string _path;

    /// <param name="path">The file; created if absent.</param>
    /// <param name="step">Steps of the state that training goes on from: later rows are dropped.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public MetricsLog(string path, int step)
    {
        _path = path;
        try
        {
            _stream = Open(path, step);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <exception cref="CheckpointException">The disk is full.</exception>
    public void Append(MetricsRow row)
    {
        try
        {
            _stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(row, Options) + "\n"));
        }
        catch (IOException e)
        {
            throw Unwritable(e);
        }
    }

    public void Dispose() => _stream.Dispose();

    private CheckpointException Unwritable(Exception e) =>
        new($"{_path}: cannot be written: {e.Message} Free space or give another --output; training goes on from the last save.", e);

    // Unbuffered: a line that could not be written is not tried again when the log is closed.
    private static FileStream Open(string path, int step)
    {
        if (File.Exists(path))
        {
            string[] kept = [.. File.ReadLines(path).Where(line => TryParse(line) is { } row && row.Step <= step)];
            AtomicFile.WriteText(path, string.Concat(kept.Select(line => line + "\n")));
        }
        return new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <summary>All rows of a log.</summary>
    /// <exception cref="CheckpointException">A line is not a row.</exception>
    public static IReadOnlyList<MetricsRow> Read(string path) =>
        [.. File.ReadLines(path).Select((line, i) => TryParse(line) ?? throw new CheckpointException($"{path}: line {i + 1} is not a row of metrics."))];

    // A process that was killed while it wrote may have left half a line.
    private static MetricsRow? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<MetricsRow>(line, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
