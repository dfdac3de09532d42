using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Package.Internals;

/// <summary>Reads a checkpoint's files; every failure names the file, so that none passes for a failure to write the package.</summary>
internal static class CheckpointRead
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="CheckpointException">The system does not let <paramref name="path"/> be read.</exception>
    public static T From<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {e.Message} Check the disk and who may read the checkpoint.", e);
        }
    }

    /// <summary>A JSON file whose keys and strings have all been read once, so that using it later cannot fail on them.</summary>
    /// <param name="remedy">A sentence for the end of the error.</param>
    /// <exception cref="CheckpointException">
    /// It is not an object of JSON, holds a key twice, or holds half of a surrogate pair.
    /// </exception>
    public static JsonObject Json(string file, string remedy)
    {
        byte[] text = From(file, () => File.ReadAllBytes(file));
        try
        {
            var root = JsonNode.Parse(text, documentOptions: Strict);
            Visit(root);
            return root as JsonObject ?? throw new CheckpointException($"{file}: expected a JSON object. {remedy}");
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is long line ? $"line {line + 1}, byte {e.BytePositionInLine}: " : "";
            throw new CheckpointException($"{file}: {place}not JSON: {e.Message} {remedy}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new CheckpointException($"{file}: a key occurs twice, or a string is not Unicode text: {e.Message} {remedy}", e);
        }
    }

    private static void Visit(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (_, member) in members)
                {
                    Visit(member);
                }
                break;
            case JsonArray elements:
                foreach (var element in elements)
                {
                    Visit(element);
                }
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                value.GetValue<string>();
                break;
        }
    }
}
