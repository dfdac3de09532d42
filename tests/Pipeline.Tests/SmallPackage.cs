using System.Collections.Concurrent;

namespace LatentMoE.Pipeline.Tests;

/// <summary>A small model taken the whole way once: stories, tokenizer, training, checkpoint, export with its parity check.</summary>
public sealed class SmallPackage : IDisposable
{
    private readonly Dictionary<string, string> packages = [];

    public SmallPackage()
    {
        Root = Directory.CreateTempSubdirectory("pipeline").FullName;
        Training = Train(Checkpoint).Succeeded().Output;
        Exporting = Command.Dotnet(Repository.Export, "export", "--checkpoint", Checkpoint, "--output", Package).Succeeded().Output;
    }

    public string Root { get; }

    public string Checkpoint => Path.Combine(Root, "checkpoint");

    public string Package => Path.Combine(Root, "package");

    public string Training { get; }

    public string Exporting { get; }

    /// <summary>The ids that .NET gave, by package, prompt and number of tokens.</summary>
    internal ConcurrentDictionary<(string Package, string Prompt, int Tokens), int[]> Answers { get; } = [];

    public static string Preset => Path.Combine(AppContext.BaseDirectory, "presets", "small.json");

    internal Outcome Train(string output, params string[] more) => Command.Dotnet(Repository.Training, [.. Arguments(output), .. more]);

    /// <summary>The folder of a package of another precision, cache or type of activations, exported once.</summary>
    public string Export(string precision, string cache, string activations)
    {
        string name = $"package-{precision}-{cache}-{activations}";
        if (!packages.TryGetValue(name, out string? package))
        {
            package = Path.Combine(Root, name);
            Command.Dotnet(Repository.Export, "export", "--checkpoint", Checkpoint, "--output", package, "--precision", precision, "--cache", cache,
                "--activations", activations).Succeeded();
            packages[name] = package;
        }
        return package;
    }

    internal string[] Arguments(string output) =>
        ["train", "--preset", Preset, "--output", output, "--cache", Path.Combine(Root, "cache"), "--report", Path.Combine(Root, "training.html")];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

[CollectionDefinition(nameof(SmallPackage))]
public sealed class SmallPackageCollection : ICollectionFixture<SmallPackage>;
