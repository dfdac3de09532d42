using System.Text.Json;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class CompletionsTests
{
    private const string Path = "/v1/completions";

    private static readonly GenerationOptions Greedy = GenerationOptions.Greedy with { MaxNewTokens = 24, IgnoreEndOfSequence = true };

    [Fact]
    public async Task Whole_Greedy_EqualsTheModelsOwnAnswer()
    {
        await using var server = await TestServer.StartAsync();
        var expected = TestPackage.Model.Generate("the end", Greedy);
        var answer = await server.PostAsync(Path, """{"model":"story","prompt":"the end","max_tokens":24,"temperature":0,"ignore_eos":true,"experts":true}""");
        Assert.Equal("text_completion", answer.GetProperty("object").GetString());
        Assert.Equal("story", answer.GetProperty("model").GetString());
        var choice = Assert.Single(answer.GetProperty("choices").EnumerateArray());
        Assert.Equal(expected.Text, choice.GetProperty("text").GetString());
        Assert.Equal(expected.TokenIds, choice.GetProperty("token_ids").Deserialize<int[]>()!);
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        AssertUsage(answer, expected.Statistics.PromptTokens, 24);
        Assert.True(answer.GetProperty("timings").GetProperty("predicted_per_second").GetDouble() > 0);
    }

    [Fact]
    public async Task Stream_IsTheWholeInPieces()
    {
        const string body = """{"prompt":"the end","max_tokens":40,"seed":3,"ignore_eos":true,"stream":%,"experts":true}""";
        await using var server = await TestServer.StartAsync();
        var whole = (await server.PostAsync(Path, body.Replace("%", "false", StringComparison.Ordinal))).GetProperty("choices")[0];
        var events = await server.StreamAsync(Path, body.Replace("%", "true", StringComparison.Ordinal));
        var choices = events.Select(e => e.GetProperty("choices")[0]).ToArray();
        Assert.Equal(40, choices.Length);
        Assert.Equal(whole.GetProperty("text").GetString(), string.Concat(choices.Select(c => c.GetProperty("text").GetString())));
        Assert.Equal(whole.GetProperty("token_ids").Deserialize<int[]>()!, choices.Select(c => c.GetProperty("token_ids")[0].GetInt32()));
        Assert.All(choices[..^1], c => Assert.Equal(JsonValueKind.Null, c.GetProperty("finish_reason").ValueKind));
        Assert.Equal("length", choices[^1].GetProperty("finish_reason").GetString());
        Assert.Single(events, e => e.TryGetProperty("timings", out _));
        Assert.Single(events.Select(e => e.GetProperty("id").GetString()).Distinct());
    }

    [Fact]
    public async Task Stream_IncludeUsage_EndsWithAnEventThatCounts()
    {
        await using var server = await TestServer.StartAsync();
        var events = await server.StreamAsync(Path, """{"prompt":"the","max_tokens":5,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}}""");
        Assert.Empty(events[^1].GetProperty("choices").EnumerateArray());
        AssertUsage(events[^1], TestPackage.Model.EncodePrompt("the").Length, 5);
        Assert.All(events.SkipLast(1), e => Assert.False(e.TryGetProperty("usage", out _)));
    }

    [Fact]
    public async Task Prompts_OfEveryForm_GiveTheSameAnswer()
    {
        await using var server = await TestServer.StartAsync();
        string ids = JsonSerializer.Serialize(TestPackage.Model.EncodePrompt("the end"));
        string expected = TestPackage.Model.Generate("the end", Greedy).Text;
        foreach (string prompt in new[] { "\"the end\"", "[\"the end\"]", ids, $"[{ids}]" })
        {
            var answer = await server.PostAsync(Path, $$"""{"prompt":{{prompt}},"max_tokens":24,"temperature":0,"ignore_eos":true}""");
            Assert.Equal(expected, answer.GetProperty("choices")[0].GetProperty("text").GetString());
        }
    }

    [Fact]
    public async Task SeveralPromptsAndAnswers_AreNumberedPromptByPrompt_AndDrawWithSeedsOfTheirOwn()
    {
        await using var server = await TestServer.StartAsync();
        var answer = await server.PostAsync(Path, """{"prompt":["the end","a"],"n":3,"max_tokens":12,"seed":7,"ignore_eos":true,"experts":true}""");
        var choices = answer.GetProperty("choices").EnumerateArray().ToArray();
        Assert.Equal(Enumerable.Range(0, 6), choices.Select(c => c.GetProperty("index").GetInt32()));
        for (int i = 0; i < 6; i++)
        {
            var expected = TestPackage.Model.Generate(i < 3 ? "the end" : "a",
                new() { MaxNewTokens = 12, Temperature = 1, TopP = 1, Seed = 7 + (ulong)(i % 3), IgnoreEndOfSequence = true });
            Assert.Equal(expected.TokenIds, choices[i].GetProperty("token_ids").Deserialize<int[]>()!);
        }
        AssertUsage(answer, TestPackage.Model.EncodePrompt("the end").Length + TestPackage.Model.EncodePrompt("a").Length, 72);
    }

    [Fact]
    public async Task Stream_OfSeveralAnswers_KeepsThemApart()
    {
        await using var server = await TestServer.StartAsync();
        const string body = """{"prompt":"the end","n":3,"max_tokens":30,"seed":7,"ignore_eos":true,"stream":%}""";
        var whole = await server.PostAsync(Path, body.Replace("%", "false", StringComparison.Ordinal));
        var events = await server.StreamAsync(Path, body.Replace("%", "true", StringComparison.Ordinal));
        for (int i = 0; i < 3; i++)
        {
            var own = events.Select(e => e.GetProperty("choices")[0]).Where(c => c.GetProperty("index").GetInt32() == i).ToArray();
            Assert.Equal(whole.GetProperty("choices")[i].GetProperty("text").GetString(), string.Concat(own.Select(c => c.GetProperty("text").GetString())));
            Assert.Equal("length", own[^1].GetProperty("finish_reason").GetString());
        }
    }

    [Fact]
    public async Task Stop_EndsTheAnswerBeforeIt()
    {
        await using var server = await TestServer.StartAsync();
        string text = TestPackage.Model.Generate("the end", Greedy).Text;
        string stop = text[6..9];
        var answer = await server.PostAsync(Path, $$"""{"prompt":"the end","max_tokens":24,"temperature":0,"ignore_eos":true,"stop":{{JsonSerializer.Serialize(stop)}}}""");
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], choice.GetProperty("text").GetString());
        Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task StopTokenIds_EndTheAnswer()
    {
        await using var server = await TestServer.StartAsync();
        int[] ids = [.. TestPackage.Model.Generate("the end", Greedy).TokenIds];
        int at = Array.FindIndex(ids, 4, id => Array.IndexOf(ids, id) >= 4); // one that did not come before
        var answer = await server.PostAsync(Path, $$"""{"prompt":"the end","max_tokens":24,"temperature":0,"ignore_eos":true,"stop_token_ids":[{{ids[at]}}],"experts":true}""");
        Assert.Equal(ids[..(at + 1)], answer.GetProperty("choices")[0].GetProperty("token_ids").Deserialize<int[]>()!);
        Assert.Equal("stop", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Echo_PutsThePromptBefore(bool stream)
    {
        await using var server = await TestServer.StartAsync();
        string body = $$"""{"prompt":["the end","é"],"echo":true,"max_tokens":3,"temperature":0,"ignore_eos":true,"stream":{{(stream ? "true" : "false")}}}""";
        string[] texts = ["", ""];
        foreach (var answer in stream ? await server.StreamAsync(Path, body) : [await server.PostAsync(Path, body)])
        {
            foreach (var choice in answer.GetProperty("choices").EnumerateArray())
            {
                texts[choice.GetProperty("index").GetInt32()] += choice.GetProperty("text").GetString();
            }
        }
        var options = Greedy with { MaxNewTokens = 3 };
        Assert.Equal(["the end" + TestPackage.Model.Generate("the end", options).Text, "é" + TestPackage.Model.Generate("é", options).Text], texts);
    }

    [Fact]
    public async Task LogitBias_ForcesAndForbids()
    {
        await using var server = await TestServer.StartAsync();
        var forced = await server.PostAsync(Path, """{"prompt":"the","max_tokens":8,"logit_bias":{"17":100},"experts":true}""");
        Assert.All(forced.GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray(), id => Assert.Equal(17, id.GetInt32()));
        int likeliest = TestPackage.Model.GenerateTokens(TestPackage.Model.EncodePrompt("the"), Greedy).First();
        var barred = await server.PostAsync(Path, $$"""{"prompt":"the","max_tokens":1,"temperature":0,"logit_bias":{"{{likeliest}}":-100},"experts":true}""");
        Assert.NotEqual(likeliest, barred.GetProperty("choices")[0].GetProperty("token_ids")[0].GetInt32());
    }

    [Fact]
    public async Task Experts_NameThoseOfEveryTokenAndLayer()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { Engine = new EngineOptions { TrackExperts = true } });
        var shape = TestPackage.Model.Experts!;
        var answer = await server.PostAsync(Path, """{"prompt":"the","max_tokens":6,"ignore_eos":true,"experts":true}""");
        var experts = answer.GetProperty("choices")[0].GetProperty("experts").Deserialize<int[][][]>()!;
        Assert.Equal(6, experts.Length);
        Assert.All(experts, token =>
        {
            Assert.Equal(shape.Layers, token.Length);
            Assert.All(token, layer => Assert.Equal(shape.TopK, layer.Distinct().Count(id => id >= 0 && id < shape.Experts)));
        });
    }

    [Fact]
    public async Task CachedPrefix_IsCountedInUsage()
    {
        await using var server = await TestServer.StartAsync();
        string body = JsonSerializer.Serialize(new { prompt = string.Concat(Enumerable.Repeat("the end and on ", 60)), max_tokens = 2, temperature = 0 });
        var first = await server.PostAsync(Path, body);
        var second = await server.PostAsync(Path, body);
        Assert.Equal(0, Cached(first));
        Assert.InRange(Cached(second), 1, second.GetProperty("usage").GetProperty("prompt_tokens").GetInt32() - 1);
        Assert.Equal(first.GetProperty("choices")[0].GetRawText(), second.GetProperty("choices")[0].GetRawText());

        static int Cached(JsonElement answer) => answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    private static void AssertUsage(JsonElement answer, int prompt, int completion)
    {
        var usage = answer.GetProperty("usage");
        Assert.Equal(
            (prompt, completion, prompt + completion),
            (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32()));
    }
}
