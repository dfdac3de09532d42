using System.Reflection;
using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Trainer;

/// <summary>A named model and the way it is trained: a <see cref="PresetFile"/> whose training has been read.</summary>
/// <param name="Name">File name without extension, with the twin if it is one.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Model">The model; vocab_size is what the tokenizer is asked for.</param>
/// <param name="Recipe">Its training.</param>
public sealed record Preset(string Name, string Description, ModelConfig Model, TrainingRecipe Recipe)
{
    private static readonly JsonSerializerOptions RecipeOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly string[] RecipeKeys = [.. typeof(TrainingRecipe).GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.CanWrite).Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name))];

    /// <summary>Folder of the presets that come with the program.</summary>
    public static string Folder => PresetFile.Folder;

    /// <summary>Names of the presets that come with the program.</summary>
    public static IReadOnlyList<string> Known => PresetFile.Known;

    /// <summary>Reads a preset.</summary>
    /// <param name="nameOrPath">One of <see cref="Known"/>, or a path to a JSON file.</param>
    /// <param name="twin">One of <see cref="Twin.Names"/>, or null for the model as it is.</param>
    /// <exception cref="CheckpointException">There is no such preset, or its file holds unknown keys or impossible values.</exception>
    public static Preset Load(string nameOrPath, string? twin = null) => From(PresetFile.Load(nameOrPath, twin), PresetFile.Find(nameOrPath));

    /// <summary>Reads a preset from its JSON; <paramref name="file"/> names it in errors.</summary>
    public static Preset Parse(ReadOnlySpan<byte> json, string file) => From(PresetFile.Parse(json, file), file);

    private static Preset From(PresetFile preset, string file)
    {
        PresetFile.RequireKnown(preset.Training, "training.", RecipeKeys, file);
        if (preset.Model.ModelType == ModelConfig.DeepseekV2)
        {
            // The bias by which the trainer balances its experts has no place in a checkpoint of that family.
            throw new CheckpointException($"{file}: model_type is \"{ModelConfig.DeepseekV2}\", which is read but not trained; expected \"{ModelConfig.DeepseekV3}\".");
        }
        try
        {
            var recipe = preset.Training.Deserialize<TrainingRecipe>(RecipeOptions)!;
            return new(preset.Name, preset.Description, preset.Model, recipe.Validated(file, preset.Model.MaxPositionEmbeddings));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{file}: not the JSON of a preset: {e.Message}", e);
        }
    }
}
