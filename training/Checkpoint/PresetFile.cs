using System.Text.Json;

namespace LatentMoE.Checkpoints;

/// <summary>A named model: one small JSON file each, in <c>presets/</c>, with a model and the way it is trained.</summary>
/// <param name="Name">File name without extension, with the twin if it is one.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Model">The model; vocab_size is what the tokenizer is asked for.</param>
/// <param name="Training">How it is trained, as the file has it.</param>
public sealed record PresetFile(string Name, string Description, ModelConfig Model, JsonElement Training)
{
    /// <summary>Folder of the presets that come with the program.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "presets");

    /// <summary>Names of the presets that come with the program.</summary>
    public static IReadOnlyList<string> Known =>
        [.. Directory.EnumerateFiles(Folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    /// <summary>Reads a preset.</summary>
    /// <param name="nameOrPath">One of <see cref="Known"/>, or a path to a JSON file.</param>
    /// <param name="twin">One of <see cref="Twin.Names"/>, or null for the model as it is.</param>
    /// <exception cref="CheckpointException">There is no such preset, or its file holds unknown keys or impossible values.</exception>
    public static PresetFile Load(string nameOrPath, string? twin = null)
    {
        string file = Find(nameOrPath);
        var preset = Parse(File.ReadAllBytes(file), file);
        return twin is null ? preset : preset with { Name = $"{preset.Name}-{twin}", Model = Twin.Of(preset.Model, twin, file) };
    }

    /// <summary>The file of a preset.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public static string Find(string nameOrPath)
    {
        bool isPath = nameOrPath.EndsWith(".json", StringComparison.Ordinal) || nameOrPath.Contains(Path.DirectorySeparatorChar);
        string file = isPath ? nameOrPath : Path.Combine(Folder, nameOrPath + ".json");
        return File.Exists(file) ? file
            : throw new CheckpointException(isPath ? $"{file}: no such file."
                : $"preset \"{nameOrPath}\" is unknown; expected one of {string.Join(", ", Known)}, or a path to a JSON file.");
    }

    /// <summary>Reads a preset from its JSON; <paramref name="file"/> names it in errors.</summary>
    public static PresetFile Parse(ReadOnlySpan<byte> json, string file)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip });
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            RequireKnown(root, "", ["description", "model", "training"], file);
            var config = ModelConfig.FromJson(Section(root, "model", file), file);
            using var known = JsonDocument.Parse(config.ToJson());
            string[] experts = ["n_routed_experts", "n_shared_experts", "num_experts_per_tok", "moe_intermediate_size"]; // Null in a dense model.
            RequireKnown(root.GetProperty("model"), "model.", [.. known.RootElement.EnumerateObject().Select(p => p.Name).Union(experts)], file);
            string description = root.TryGetProperty("description", out var text) ? text.GetString() ?? "" : "";
            return new(Path.GetFileNameWithoutExtension(file), description, config, Section(root, "training", file).Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{file}: not the JSON of a preset: {e.Message}", e);
        }
    }

    /// <summary>Refuses an object with other keys than the known ones; <paramref name="prefix"/> names it in the error.</summary>
    public static void RequireKnown(JsonElement section, string prefix, IReadOnlyCollection<string> known, string file)
    {
        if (section.ValueKind != JsonValueKind.Object)
        {
            throw new CheckpointException($"{file}: expected a JSON object, found {section.ValueKind}.");
        }
        foreach (var property in section.EnumerateObject())
        {
            if (!known.Contains(property.Name))
            {
                throw new CheckpointException($"{file}: {prefix}{property.Name} is an unknown key; known are {string.Join(", ", known)}.");
            }
        }
    }

    private static JsonElement Section(JsonElement root, string key, string file) =>
        root.TryGetProperty(key, out var section) && section.ValueKind == JsonValueKind.Object ? section
            : throw new CheckpointException($"{file}: {key} is missing; expected an object.");
}
