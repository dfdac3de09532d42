using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests;

/// <summary>Packages of random weights for every family, exported once for all tests of the collection and removed after the last.</summary>
internal static class TestPackages
{
    /// <summary>Longer than two views of the cache, so that tests can cross their borders.</summary>
    public const int Context = 320;

    private static readonly TemporaryFolder Root = new();
    private static readonly Lock Gate = new();

    public static void Remove() => Root.Dispose();

    /// <summary>Latent and multi-head attention, with experts and without.</summary>
    public static TheoryData<string> Families { get; } = new(nameof(TestConfigs.LatentMoE), nameof(TestConfigs.LatentDense), nameof(TestConfigs.Llama), nameof(TestConfigs.Glm4Moe));

    /// <summary>The checkpoint folder of a configuration in <see cref="TestConfigs"/>.</summary>
    public static string Checkpoint(string name) => Once(Root[name + "-checkpoint"], folder => RandomCheckpoint.Write(folder, Config(name), rows: 1, tokens: 8));

    /// <summary>A model with room for more tokens than a test waits for.</summary>
    public static string Endless()
    {
        string checkpoint = Once(Root["endless-checkpoint"], folder =>
            RandomCheckpoint.Write(folder, TestConfigs.LatentDense with { MaxPositionEmbeddings = 1 << 15 }, rows: 1, tokens: 8));
        return Once(Root["endless"], folder => Exporter.Run(new ExportOptions { Checkpoint = checkpoint, Output = folder }));
    }

    /// <summary>The package of a configuration in <see cref="TestConfigs"/>.</summary>
    public static string Package(string name)
    {
        string checkpoint = Checkpoint(name);
        return Once(Root[name], folder => Exporter.Run(new ExportOptions { Checkpoint = checkpoint, Output = folder }));
    }

    public static ModelConfig Config(string name) => TestConfigs.All[name] with { MaxPositionEmbeddings = Context };

    public static LanguageModel Load(string name, LanguageModelOptions? options = null) => LanguageModel.Load(Package(name), options ?? new() { Device = Device.Cpu, Threads = 1 });

    /// <summary>A copy to change; without its manifest, which would tell.</summary>
    public static TemporaryFolder Copy(string name)
    {
        var copy = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(Package(name)).Where(file => Path.GetFileName(file) != "manifest.json"))
        {
            File.Copy(file, copy[Path.GetFileName(file)]);
        }
        return copy;
    }

    /// <summary>Changes a JSON file of a folder.</summary>
    public static void Edit(TemporaryFolder folder, string file, Action<JsonObject> change)
    {
        var root = JsonNode.Parse(File.ReadAllText(folder[file]))!.AsObject();
        change(root);
        File.WriteAllText(folder[file], root.ToJsonString());
    }

    private static string Once(string folder, Action<string> write)
    {
        lock (Gate)
        {
            if (!Directory.Exists(folder))
            {
                write(folder);
            }
            return folder;
        }
    }
}
