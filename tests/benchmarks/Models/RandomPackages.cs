using System.Diagnostics;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Models;

/// <summary>Packages with random weights, exported where there is none yet or where preset or exporter are newer.</summary>
internal sealed class RandomPackages(BenchOptions options)
{
    private const string ManifestName = "manifest.json", Unknown = "?";

    private static string Exporter => Path.Combine(AppContext.BaseDirectory, "LatentMoE.Export.dll");

    /// <returns>The package's folder.</returns>
    /// <exception cref="CheckpointException">The exporter refused; it has said why.</exception>
    public string Get(string precision, string activations, string cache)
    {
        string types = activations == "f32" ? $"cache-{cache}" : $"activations-{activations}";
        string folder = Path.Combine(options.Packages, $"{options.ModelName}-{precision}-{types}");
        if (!IsFresh(folder))
        {
            Export(folder, precision, activations, cache);
        }
        return folder;
    }

    /// <summary>The precision that a package's manifest names; "?" where it has none.</summary>
    public static string Precision(string folder)
    {
        string manifest = Path.Combine(folder, ManifestName);
        return File.Exists(manifest) ? (string?)JsonNode.Parse(File.ReadAllBytes(manifest))?["precision"] ?? Unknown : Unknown;
    }

    private bool IsFresh(string folder)
    {
        string manifest = Path.Combine(folder, ManifestName);
        string[] sources = [Exporter, options.Preset, Path.Combine("training", "presets", options.Preset + ".json")];
        return File.Exists(manifest)
            && sources.Where(File.Exists).All(source => File.GetLastWriteTimeUtc(source) < File.GetLastWriteTimeUtc(manifest));
    }

    private void Export(string folder, string precision, string activations, string cache)
    {
        List<string> arguments =
        [
            "export", "--random-weights", "--preset", options.Preset,
            "--precision", precision, "--activations", activations, "--cache", cache, "--output", folder,
        ];
        if (options.Twin is { } twin)
        {
            arguments.AddRange(["--twin", twin]);
        }
        Directory.CreateDirectory(options.Packages);
        using var process = Process.Start(SiblingProgram.Start("LatentMoE.Export", arguments))!;
        process.StandardOutput.ReadToEnd(); // its list of files; errors go to the terminal
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new CheckpointException(
                $"the {precision} package of {options.ModelName} could not be exported; what the exporter says stands above");
        }
    }
}
