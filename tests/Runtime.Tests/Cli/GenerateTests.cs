using System.Diagnostics;
using System.Text.Json;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Cli;

[Collection(nameof(TestPackages))]
public class GenerateTests
{
    private static Task<(int Code, string Output, string Error)> Run(params string[] arguments) => CliProcess.Run(arguments);

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

    [Fact]
    public async Task Generate_BiasPenaltiesAndStopTokens_ReachTheLibrary()
    {
        using var model = TestPackages.Load("LatentMoE");
        var greedy = GenerationOptions.Greedy with { MaxNewTokens = 6, IgnoreEndOfSequence = true };
        int[] plain = [.. model.GenerateTokens([0, 9, 17], greedy)];
        var changed = greedy with { LogitBias = new Dictionary<int, float> { [plain[0]] = float.NegativeInfinity }, FrequencyPenalty = 1.5f, PresencePenalty = 0.5f, TypicalP = 0.9f };
        int[] expected = [.. model.GenerateTokens([0, 9, 17], changed)];
        Assert.NotEqual(plain, expected);
        string[] common = ["generate", "--model", model.Folder, "--ids", "0,9,17", "--max-tokens", "6", "--greedy", "--ignore-eos"];
        var (_, output, error) = await Run([.. common, "--logit-bias", $"{plain[0]}=-inf", "--frequency-penalty", "1.5", "--presence-penalty", "0.5", "--typical-p", "0.9"]);
        Assert.Equal((string.Join(',', expected), ""), (output.Trim(), error));
        var (_, stopped, _) = await Run([.. common, "--stop-token", $"{plain[1]}", "--json"]);
        Assert.Equal("stop_token", JsonDocument.Parse(stopped).RootElement.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Generate_Logprobs_AreInTheJson()
    {
        var (_, output, error) = await Run("generate", "--model", TestPackages.Package("LatentMoE"), "--max-tokens", "4", "--greedy", "--ignore-eos", "--logprobs", "3", "--json");
        Assert.Equal("", error);
        var json = JsonDocument.Parse(output).RootElement;
        var logprobs = json.GetProperty("logprobs").EnumerateArray().ToList();
        Assert.Equal(4, logprobs.Count);
        foreach (var (token, id) in logprobs.Zip(json.GetProperty("token_ids").EnumerateArray()))
        {
            var top = token.GetProperty("top").EnumerateArray().ToList();
            Assert.Equal(3, top.Count);
            Assert.Equal((id.GetInt32(), id.GetInt32()), (token.GetProperty("token_id").GetInt32(), top[0].GetProperty("token_id").GetInt32()));
            Assert.Equal(top[0].GetProperty("logprob").GetDouble(), token.GetProperty("logprob").GetDouble());
        }
    }

    [Fact]
    public async Task Generate_JsonSchema_ShapesTheAnswer()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["schema.json"], """{ "enum": ["yes", "no"] }""");
        var (code, output, error) = await Run("generate", "--model", TestPackages.Package("LatentMoE"), "--max-tokens", "40", "--seed", "3", "--json-schema", folder["schema.json"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains(output.Trim(), new[] { "\"yes\"", "\"no\"" });
    }

    [Theory]
    [InlineData("error: /no/such/package: no such folder", "generate", "--model", "/no/such/package")]
    [InlineData("error: TopP is 3; expected", "generate", "--model", "PACKAGE", "--top-p", "3")]
    [InlineData("--bogus", "generate", "--model", "PACKAGE", "--bogus")]
    [InlineData("--model", "generate")]
    [InlineData("'x' is not a token id", "generate", "--model", "PACKAGE", "--ids", "1,x")]
    [InlineData("'7' is no ID=NUMBER", "generate", "--model", "PACKAGE", "--logit-bias", "7")]
    [InlineData("'7=nan' is no ID=NUMBER", "generate", "--model", "PACKAGE", "--logit-bias", "7=nan")]
    [InlineData("error: --ids and --prompt are both given", "generate", "--model", "PACKAGE", "--ids", "1,2", "--prompt", "a")]
    [InlineData("error: --logprobs is given without --json", "generate", "--model", "PACKAGE", "--logprobs", "2")]
    [InlineData("error: /no/schema: cannot be read", "generate", "--model", "PACKAGE", "--json-schema", "/no/schema")]
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
        using var process = CliProcess.Start("generate", "--model", TestPackages.Endless(), "--ids", "3,4,5", "--max-tokens", "30000", "--ignore-eos");
        var first = new char[1];
        await process.StandardOutput.ReadAsync(first);
        var clock = Stopwatch.StartNew();
        process.Signal("INT");
        var (code, output, error) = await CliProcess.End(process);
        Assert.Equal(130, code);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
        Assert.EndsWith(Environment.NewLine, output);
        Assert.All((first[0] + output).Trim().Split(','), id => Assert.InRange(int.Parse(id), 0, 271));
        Assert.DoesNotContain("at LatentMoE", error); // no stack trace
    }
}
