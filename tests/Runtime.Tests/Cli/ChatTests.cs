using System.Text.Json;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Cli;

[Collection(nameof(TestPackages))]
public sealed class ChatTests : IDisposable
{
    private const string Template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
    private readonly TemporaryFolder _folder = new();

    public ChatTests() => File.WriteAllText(_folder["chat.jinja"], Template);

    public void Dispose() => _folder.Dispose();

    private string[] Command(params string[] more) =>
        ["chat", "--model", TestPackages.Package("LatentMoE"), "--chat-template", _folder["chat.jinja"], "--greedy", "--ignore-eos", "--max-tokens", "8", "--device", "cpu", "--threads", "1", .. more];

    [Fact]
    public async Task Chat_Piped_AnswersTheWholeConversation()
    {
        string[] lines = ["hello", "/system Be kind.", "and then?", "", "//slash", "/reset", "/system", "hello", "/exit", "never"];
        var (code, output, error) = await CliProcess.Run(Command("--json"), lines);
        Assert.Equal((0, ""), (code, error));
        using var model = TestPackages.Load("LatentMoE");
        string first = Answer("user: hello\nassistant: ");
        string second = Answer($"system: Be kind.\nuser: hello\nassistant: {first}\nuser: and then?\nassistant: ");
        string third = Answer($"system: Be kind.\nuser: hello\nassistant: {first}\nuser: and then?\nassistant: {second}\nuser: /slash\nassistant: ");
        var answers = output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString());
        Assert.Equal([first, second, third, first], answers);

        string Answer(string prompt) => model.Generate(prompt, GenerationOptions.Greedy with { MaxNewTokens = 8, IgnoreEndOfSequence = true, AddBeginOfSequence = false }).Text;
    }

    [Theory]
    [InlineData("/dance is no command", "/dance")]
    [InlineData("The prompt has ", "LONG")]
    public async Task Chat_Piped_EndsAtAnError(string told, string line)
    {
        var (code, output, error) = await CliProcess.Run(Command(), line == "LONG" ? new string('x', 400) : line, "hello");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("error: ", error);
        Assert.Contains(told, error);
    }

    [Fact]
    public async Task Chat_Interrupted_StopsTheAnswerOnly()
    {
        string[] endless = ["chat", "--model", TestPackages.Endless(), "--chat-template", _folder["chat.jinja"], "--ignore-eos", "--seed", "1", "--temperature", "3", "--max-tokens"];
        using var process = CliProcess.Start([.. endless, "30000"]);
        await process.StandardInput.WriteLineAsync("hello");
        await process.StandardOutput.ReadAsync(new char[1]);
        process.Signal("INT");
        await process.StandardInput.WriteLineAsync("/exit");
        var (code, output, error) = await CliProcess.End(process);
        Assert.Equal((0, ""), (code, error));
        Assert.EndsWith(Environment.NewLine, output);
    }

    [Fact]
    public async Task Chat_WithoutATemplate_SaysWhatToDo()
    {
        var (code, _, error) = await CliProcess.Run(["chat", "--model", TestPackages.Package("LatentMoE")], "hello");
        Assert.Equal(1, code);
        Assert.Contains("the package has no chat template. Give one with --chat-template", error);
    }

    [Fact]
    public async Task Chat_TemplateThatIsNone_NamesTheFile()
    {
        File.WriteAllText(_folder["broken.jinja"], "{% for m in messages %}");
        var (code, _, error) = await CliProcess.Run(["chat", "--model", TestPackages.Package("LatentMoE"), "--chat-template", _folder["broken.jinja"]], "hello");
        Assert.Equal(1, code);
        Assert.StartsWith($"error: {_folder["broken.jinja"]}: ", error);
    }
}
