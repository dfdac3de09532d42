using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Chat;

/// <summary>A package with a chat template that tells roles and messages apart, loaded, with an engine.</summary>
internal sealed class ChatPackage : IDisposable
{
    public const string Template = "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

    private readonly TemporaryFolder _folder = Write();

    public ChatPackage()
    {
        Model = LanguageModel.Load(_folder.Path, new() { Device = Device.Cpu, Threads = 1 });
        Engine = new InferenceEngine(Model);
    }

    public LanguageModel Model { get; }

    public InferenceEngine Engine { get; }

    public static TemporaryFolder Write()
    {
        var folder = TestPackages.Copy(nameof(TestConfigs.LatentDense));
        TestPackages.Edit(folder, "tokenizer_config.json", root => root["chat_template"] = Template);
        return folder;
    }

    public void Dispose()
    {
        Engine.Dispose();
        Model.Dispose();
        _folder.Dispose();
    }
}
