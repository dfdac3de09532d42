namespace LatentMoE.Pipeline.Tests;

/// <summary>A small model taken the whole way once: stories, tokenizer, training, checkpoint, export with its parity check.</summary>
public sealed class SmallPackage : IDisposable
{
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

    public static string Preset => Path.Combine(AppContext.BaseDirectory, "presets", "small.json");

    internal Outcome Train(string output, params string[] more) => Command.Dotnet(Repository.Training, [.. Arguments(output), .. more]);

    /// <summary>The folder of a package of another precision, cache or type of activations.</summary>
    public string Export(string precision, string cache, string activations)
    {
        string package = Path.Combine(Root, $"package-{precision}-{cache}-{activations}");
        Command.Dotnet(Repository.Export, "export", "--checkpoint", Checkpoint, "--output", package, "--precision", precision, "--cache", cache,
            "--activations", activations).Succeeded();
        return package;
    }

    internal string[] Arguments(string output) =>
        ["train", "--preset", Preset, "--output", output, "--cache", Path.Combine(Root, "cache"), "--report", Path.Combine(Root, "training.html")];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

[CollectionDefinition(nameof(SmallPackage))]
public sealed class SmallPackageCollection : ICollectionFixture<SmallPackage>;
