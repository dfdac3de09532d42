using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Export;
using LatentMoE.Runtime;
using LatentMoE.Tests.Support;

namespace LatentMoE.Server.Tests;

/// <summary>One model of random weights for all tests: exported once, loaded once, removed after the last.</summary>
internal static class TestPackage
{
    public const string Name = "story", EndOfText = "<|endoftext|>";

    /// <summary>Room for more tokens than a test waits for.</summary>
    public const int Context = 1 << 15;

    /// <summary>Roles and contents, a line each.</summary>
    public const string ChatTemplate =
        "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";

    private const string TokenizerConfig = "tokenizer_config.json";

    private static readonly TemporaryFolder Root = new();
    private static readonly Lazy<LanguageModel> Loaded = new(Load);

    public static LanguageModel Model => Loaded.Value;

    public static string Folder => Model.Folder;

    /// <summary>The same without a chat template; the caller disposes of it.</summary>
    public static LanguageModel LoadWithoutTemplate()
    {
        string copy = Root["plain"];
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(Folder))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), overwrite: true);
        }
        Edit(Path.Combine(copy, TokenizerConfig), settings => settings.Remove("chat_template"));
        return Open(copy);
    }

    public static void Remove()
    {
        if (Loaded.IsValueCreated)
        {
            Model.Dispose();
        }
        Root.Dispose();
    }

    private static LanguageModel Load()
    {
        string checkpoint = Root["checkpoint"], package = Root[Name];
        ModelConfig config = TestConfigs.LatentMoE with { MaxPositionEmbeddings = Context };
        RandomCheckpoint.Write(checkpoint, config, rows: 1, tokens: 8);
        Exporter.Run(new ExportOptions { Checkpoint = checkpoint, Output = package });
        File.Delete(Path.Combine(package, "manifest.json")); // it would tell of the change
        Edit(Path.Combine(package, TokenizerConfig), settings => settings["chat_template"] = ChatTemplate);
        return Open(package);
    }

    private static LanguageModel Open(string package) => LanguageModel.Load(package, new LanguageModelOptions { Device = Device.Cpu, Threads = 1 });

    private static void Edit(string file, Action<JsonObject> change)
    {
        var settings = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        change(settings);
        File.WriteAllText(file, settings.ToJsonString());
    }
}
