using System.Text;
using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Data.Internals;

/// <summary>Documents that can be read again and again in the same order, trimmed and never empty.</summary>
internal sealed class CorpusSource
{
    private static readonly byte[] SeparatorBytes = Encoding.UTF8.GetBytes(CorpusOptions.Separator);

    private readonly Func<IEnumerable<string>> _documents;

    private CorpusSource(string name, string location, Func<IEnumerable<string>> documents)
    {
        (Name, Location) = (name, location);
        _documents = documents;
    }

    /// <summary>What the documents are, for people.</summary>
    public string Name { get; }

    /// <summary>The full path, or the name of what has none: for errors.</summary>
    public string Location { get; }

    public IEnumerable<string> Documents() => _documents().Select(text => text.Trim()).Where(text => text.Length > 0);

    public static CorpusSource Of(string name, IReadOnlyList<string> documents) => new(name, name, () => documents);

    /// <exception cref="CheckpointException">There is no such path, or the folder holds no text.</exception>
    public static CorpusSource Open(string path)
    {
        if (File.Exists(path))
        {
            return new CorpusSource(Path.GetFileName(path), Path.GetFullPath(path), () => Read(path));
        }
        if (!Directory.Exists(path))
        {
            throw new CheckpointException($"{path}: no such file or folder. Expected text (documents separated by {CorpusOptions.Separator}), "
                + "JSON lines (.jsonl), or a folder of .txt and .jsonl files.");
        }
        string[] files = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => IsText(file) || IsJsonLines(file)).Order(StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            throw new CheckpointException($"{path}: the folder holds no .txt and no .jsonl file. Put the text there, or name a file.");
        }
        return new CorpusSource($"{files.Length} files of {Path.GetFileName(Path.TrimEndingDirectorySeparator(path))}", Path.GetFullPath(path), () => files.SelectMany(Read));
    }

    private static IEnumerable<string> Read(string file) => IsJsonLines(file)
        ? DelimitedFile.Parts(file, "\n"u8.ToArray()).Select((line, index) => TextOf(file, index + 1, line.Part)).OfType<string>()
        : DelimitedFile.Parts(file, SeparatorBytes).Select(document => Encoding.UTF8.GetString(document.Part.Span));

    private static string? TextOf(string file, int line, ReadOnlyMemory<byte> json)
    {
        if (json.Span.TrimStart(" \t\r"u8).IsEmpty)
        {
            return null;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                return text.GetString();
            }
            throw new CheckpointException($"{file}: line {line}: no \"text\" field with a string. Expected one object a line, as {{\"text\": \"…\"}}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{file}: line {line}: not JSON: {e.Message} Expected one object a line, as {{\"text\": \"…\"}}.", e);
        }
    }

    private static bool IsText(string file) => file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);

    private static bool IsJsonLines(string file) => file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);
}
