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

    private static readonly TemporaryFolder Root = new();
    private static readonly Lazy<LanguageModel> Loaded = new(Load);

    public static LanguageModel Model => Loaded.Value;

    public static string Folder => Model.Folder;

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
        AddChatTemplate(Path.Combine(package, "tokenizer_config.json"));
        File.Delete(Path.Combine(package, "manifest.json")); // it would tell of the change
        return LanguageModel.Load(package, new LanguageModelOptions { Device = Device.Cpu, Threads = 1 });
    }

    private static void AddChatTemplate(string file)
    {
        var settings = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        settings["chat_template"] = ChatTemplate;
        File.WriteAllText(file, settings.ToJsonString());
    }
}
