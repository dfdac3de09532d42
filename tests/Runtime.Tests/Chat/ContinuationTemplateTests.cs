using System.Text.Json.Nodes;
using LatentMoE.Checkpoints.Tokenization;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Chat;

/// <summary>The template that training writes for models that never saw roles.</summary>
public class ContinuationTemplateTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Render_IsTheMessagesAndNothingElse(bool addGenerationPrompt)
    {
        using var folder = new TemporaryFolder();
        TokenizerFileWriter.WriteConfig(folder.Path, [("<|endoftext|>", 0), ("<|pad|>", 1)], 96);
        var config = JsonNode.Parse(File.ReadAllText(folder["tokenizer_config.json"]))!;
        var template = new ChatTemplate((string)config["chat_template"]!, new Dictionary<string, string> { ["bos_token"] = (string)config["bos_token"]! });
        Assert.Equal("<|endoftext|>Once upon", template.Render([new("user", "Once upon")], addGenerationPrompt));
        Assert.Equal("<|endoftext|>A story.\nOnce \nthere", template.Render([new("system", "A story."), new("user", "Once "), new("assistant", "there")], addGenerationPrompt));
    }
}
