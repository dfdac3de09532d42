using System.Diagnostics;
using System.Text.Json;

namespace LatentMoE.Runtime.Tests;

[Collection(nameof(TestPackages))]
public class CliTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "latentmoe.dll");

    [Fact]
    public async Task Generate_Json_IsWhatTheLibraryGives()
    {
        using var model = TestPackages.Load("LatentMoE");
        var expected = model.Generate("the end", new() { MaxNewTokens = 12, Seed = 9, TopK = 40, IgnoreEndOfSequence = true });
        var (code, output, error) = await Run("generate", "--model", model.Folder, "--prompt", "the end", "--max-tokens", "12", "--seed", "9", "--top-k", "40", "--ignore-eos", "--json", "--device", "cpu", "--threads", "1");
        Assert.Equal((0, ""), (code, error));
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(expected.Text, json.GetProperty("text").GetString());
        Assert.Equal(expected.TokenIds, json.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal("max_new_tokens", json.GetProperty("finish_reason").GetString());
        Assert.Equal(expected.Statistics.PromptTokens, json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(12, json.GetProperty("usage").GetProperty("generated_tokens").GetInt32());
        Assert.True(json.GetProperty("tokens_per_second").GetDouble() > 0);
    }

    [Fact]
    public async Task Generate_Piped_IsThePlainText()
    {
        using var model = TestPackages.Load("LatentMoE");
        var expected = model.Generate("the end", GenerationOptions.Greedy with { MaxNewTokens = 8, IgnoreEndOfSequence = true });
        var (code, output, _) = await Run("generate", "--model", model.Folder, "--prompt", "the end", "--max-tokens", "8", "--greedy", "--ignore-eos");
        Assert.Equal((0, expected.Text + Environment.NewLine), (code, output));
    }

    [Fact]
    public async Task Generate_Ids_PrintsIds()
    {
        using var model = TestPackages.Load("LatentMoE");
        var expected = model.GenerateTokens([0, 9, 17], GenerationOptions.Greedy with { MaxNewTokens = 8, IgnoreEndOfSequence = true });
        var (code, output, _) = await Run("generate", "--model", model.Folder, "--ids", "0,9,17", "--max-tokens", "8", "--greedy", "--ignore-eos");
        Assert.Equal((0, string.Join(',', expected)), (code, output.Trim()));
    }

    [Theory]
    [InlineData("error: /no/such/package: no such folder", "generate", "--model", "/no/such/package")]
    [InlineData("error: TopP is 3; expected", "generate", "--model", "PACKAGE", "--top-p", "3")]
    [InlineData("--bogus", "generate", "--model", "PACKAGE", "--bogus")]
    [InlineData("--model", "generate")]
    [InlineData("'x' is not a token id", "generate", "--model", "PACKAGE", "--ids", "1,x")]
    [InlineData("error: --ids and --prompt are both given", "generate", "--model", "PACKAGE", "--ids", "1,2", "--prompt", "a")]
    [InlineData("error: The prompt has 401 tokens, but the context is 320", "generate", "--model", "PACKAGE", "--prompt", "LONG")]
    [InlineData("error:", "dance")]
    public async Task Errors_GoToStandardErrorWithACode(string told, params string[] arguments)
    {
        var (code, output, error) = await Run([.. arguments.Select(a => a switch { "PACKAGE" => TestPackages.Package("LatentMoE"), "LONG" => new string('x', 400), _ => a })]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(told, error);
        Assert.StartsWith("error: ", error);
    }

    [Fact]
    public async Task Generate_Interrupted_StopsWithWhatItHas()
    {
        using var process = Start("generate", "--model", TestPackages.Endless(), "--ids", "3,4,5", "--max-tokens", "30000", "--ignore-eos");
        var first = new char[1];
        await process.StandardOutput.ReadAsync(first);
        var clock = Stopwatch.StartNew();
        using (Process.Start("kill", ["-INT", process.Id.ToString()]))
        {
        }
        var (code, output, error) = await End(process);
        Assert.Equal(130, code);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
        Assert.EndsWith(Environment.NewLine, output);
        Assert.All((first[0] + output).Trim().Split(','), id => Assert.InRange(int.Parse(id), 0, 271));
        Assert.DoesNotContain("at LatentMoE", error); // no stack trace
    }

    // A shell starts its background jobs with SIGINT ignored, and children inherit that.
    private static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        using var process = Start(arguments);
        return await End(process);
    }

    private static async Task<(int Code, string Output, string Error)> End(Process process)
    {
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }
}
