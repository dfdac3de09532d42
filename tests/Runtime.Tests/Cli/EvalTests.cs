using System.Text.Json;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Cli;

[Collection(nameof(TestPackages))]
public class EvalTests
{
    [Fact]
    public async Task Eval_Json_IsWhatTheLibraryGives()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["text.txt"], "\ufeffthe end\n<|endoftext|>\nonce upon a time<|endoftext|>\n");
        using var model = TestPackages.Load("LatentMoE");
        var expected = model.Evaluate(["the end", "once upon a time"], new() { Window = 8, Stride = 3, MaxTokens = 14 });
        var (code, output, error) = await CliProcess.Run(
            ["eval", "--model", model.Folder, "--text", folder["text.txt"], "--window", "8", "--stride", "3", "--max-tokens", "14", "--threads", "1", "--device", "cpu", "--json"]);
        Assert.Equal((0, ""), (code, error));
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(expected.Loss, json.GetProperty("loss").GetDouble(), 9);
        Assert.Equal(expected.Perplexity, json.GetProperty("perplexity").GetDouble(), 6);
        Assert.Equal(expected.BitsPerByte, json.GetProperty("bits_per_byte").GetDouble(), 9);
        Assert.Equal((14, 8, 3), (json.GetProperty("tokens").GetInt32(), json.GetProperty("window").GetInt32(), json.GetProperty("stride").GetInt32()));
    }

    [Theory]
    [InlineData("error: /no/text: cannot be read", "--text", "/no/text")]
    [InlineData("byte 4 (0xFF) is not valid UTF-8", "--text", "LATIN")]
    [InlineData("error: There is no text", "--text", "EMPTY")]
    [InlineData("error: Window is 500; expected 1 to the context, 320", "--text", "TEXT", "--window", "500")]
    [InlineData("--text", "--window", "5")]
    public async Task Errors_NameTheCause(string told, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["latin"], [97, 98, 99, 32, 0xFF, 100]);
        File.WriteAllText(folder["empty"], " <|endoftext|>\n");
        File.WriteAllText(folder["text"], "the end");
        var (code, output, error) = await CliProcess.Run(
            ["eval", "--model", TestPackages.Package("LatentMoE"), .. arguments.Select(a => a switch { "LATIN" => folder["latin"], "EMPTY" => folder["empty"], "TEXT" => folder["text"], _ => a })]);
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("error: ", error);
        Assert.Contains(told, error);
    }
}
