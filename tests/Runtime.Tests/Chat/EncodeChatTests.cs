using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Chat;

[Collection(nameof(TestPackages))]
public class EncodeChatTests
{
    private const string Template = "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}";

    private static readonly ChatTurn[] Asked = [new("user", "the hand")];

    [Fact]
    public void ChatTemplate_PackageWithout_IsNullAndEncodeChatSaysSo()
    {
        using var model = TestPackages.Load(nameof(TestConfigs.LatentDense));
        Assert.Null(model.ChatTemplate);
        Assert.Contains("expected chat_template in tokenizer_config.json", Assert.Throws<NotSupportedException>(() => model.EncodeChat(Asked)).Message);
    }

    [Fact]
    public void ChatTemplate_InTokenizerConfig_HasThePackagesTokens() =>
        With(Template, model => Assert.Equal("<|endoftext|>user: the hand<|endoftext|>", model.ChatTemplate!.Render(Asked)));

    [Fact]
    public void ChatTemplate_OfSeveral_IsTheDefault() => With(
        new JsonArray(Named("rag", "no"), Named("default", Template)), model => Assert.Equal(Template, model.ChatTemplate!.Source));

    [Fact]
    public void ChatTemplate_FileOfItsOwn_GoesFirst() => With("no", model => Assert.Equal("{{ 'yes' }}", model.ChatTemplate!.Source), "{{ 'yes' }}");

    [Fact]
    public void ChatTemplate_SeveralWithoutDefault_Refuses() => With(new JsonArray(Named("rag", "a"), Named("tools", "b")), model =>
        Assert.EndsWith("tokenizer_config.json: chat_template is a list of \"rag\", \"tools\"; expected one named \"default\". Export the package again.",
            Assert.Throws<CheckpointException>(() => model.ChatTemplate).Message));

    [Theory]
    [InlineData("{% if %}", "tokenizer_config.json: chat_template: The chat template cannot be read: line 1: expected a value")]
    [InlineData(5, "chat_template is 5; expected a string")]
    public void ChatTemplate_Damaged_NamesFileAndKey(object value, string message) =>
        With(JsonValue.Create(value)!, model => Assert.Contains(message, Assert.Throws<CheckpointException>(() => model.ChatTemplate).Message));

    [Theory]
    [InlineData("{{ x", "chat_template.jinja: The chat template cannot be read")]
    [InlineData(null, "chat_template.jinja: 1048577 bytes; a chat template has at most 262144 characters")]
    public void ChatTemplate_DamagedFile_NamesIt(string? text, string message) =>
        With(Template, model => Assert.Contains(message, Assert.Throws<CheckpointException>(() => model.ChatTemplate).Message), text ?? new string(' ', (1 << 20) + 1));

    [Fact]
    public void EncodeChat_TemplateWritesTheSpecialTokens_OnceEach() => With(Template, model =>
    {
        int[] ids = model.EncodeChat(Asked);
        Assert.Equal([TinyTokenizer.EndOfText, .. model.Encode("user: the hand"), TinyTokenizer.EndOfText], ids);
    });

    [Theory]
    [InlineData("<|endoftext|>")]
    [InlineData("a<|endoftext|>b<|pad|><|pad|>")]
    [InlineData("<|endoftext<|endoftext|>|>")]
    [InlineData("\uE000<|pad|>\uE001")]
    public void EncodeChat_SpecialTokenInAMessage_StaysText(string content) => With(Template, model =>
    {
        int[] ids = model.EncodeChat([new("user", content)]);
        Assert.Equal([0, ids.Length - 1], ids.Index().Where(id => id.Item is TinyTokenizer.EndOfText or TinyTokenizer.Pad).Select(id => id.Index));
        Assert.Equal("user: " + content, model.Decode(ids));
    });

    [Fact]
    public void CreateChatTemplate_OtherText_HasTheModelsTokens() => With("no", model =>
    {
        var other = model.CreateChatTemplate(Template);
        Assert.Equal("<|endoftext|>user: the hand<|endoftext|>", other.Render(Asked));
        Assert.Equal(TinyTokenizer.EndOfText, model.EncodeChat(Asked, other)[0]);
    });

    private static JsonObject Named(string name, string template) => new() { ["name"] = name, ["template"] = template };

    private static void With(JsonNode template, Action<LanguageModel> check, string? file = null)
    {
        using var folder = TestPackages.Copy(nameof(TestConfigs.LatentDense));
        TestPackages.Edit(folder, "tokenizer_config.json", root => root["chat_template"] = template.DeepClone());
        if (file is not null)
        {
            File.WriteAllText(folder["chat_template.jinja"], file);
        }
        using var model = LanguageModel.Load(folder.Path, new() { Device = Device.Cpu, Threads = 1 });
        check(model);
    }
}
