using System.CommandLine;

namespace LatentMoE.Training.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string> Preset() => new("--preset") { Description = "Name of a preset, or a path to its JSON file", DefaultValueFactory = _ => "tiny" };

    public static Option<string?> Twin() => new("--twin") { Description = $"Train a twin of the preset: {string.Join(", ", Checkpoints.Twin.Names)}" };

    public static Option<string?> Data() => new("--data") { Description = "Text: a file, a folder, or JSON lines; default: generated stories" };

    public static Option<string> Device() => new("--device") { Description = "auto, cpu or cuda", DefaultValueFactory = _ => "auto" };

    public static Option<string> Cache() => new("--cache")
    {
        Description = "Folder of tokenised text, reused between runs",
        DefaultValueFactory = _ => Path.Combine("artifacts", "cache", "corpora"),
    };
}
