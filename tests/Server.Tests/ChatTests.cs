using System.Text.Json;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class ChatTests
{
    private const string Path = "/v1/chat/completions";
    private const string Body = """{"messages":[{"role":"system","content":"be short"},{"role":"user","content":"the end"}],"max_tokens":20,"temperature":0,"ignore_eos":true,"stream":%}""";

    private static readonly GenerationOptions Greedy = GenerationOptions.Greedy with { MaxNewTokens = 20, IgnoreEndOfSequence = true };

    private static GenerationResult Expected =>
        TestPackage.Model.Generate(TestPackage.Model.Encode("system: be short\nuser: the end\nassistant:"), Greedy);

    [Fact]
    public async Task Whole_IsTheAnswerToTheRenderedConversation()
    {
        var server = await TestServer.SharedAsync();
        var answer = await server.PostAsync(Path, Body.Replace("%", "false", StringComparison.Ordinal));
        Assert.Equal("chat.completion", answer.GetProperty("object").GetString());
        var choice = Assert.Single(answer.GetProperty("choices").EnumerateArray());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        Assert.Equal(Expected.Text, choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(Expected.Statistics.PromptTokens, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Stream_BeginsWithTheRole_AndEndsWithTheReason()
    {
        var server = await TestServer.SharedAsync();
        var events = await server.StreamAsync(Path, Body.Replace("%", "true", StringComparison.Ordinal));
        Assert.All(events, e => Assert.Equal("chat.completion.chunk", e.GetProperty("object").GetString()));
        var choices = events.Select(e => Assert.Single(e.GetProperty("choices").EnumerateArray())).ToArray();
        Assert.Equal("assistant", choices[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.All(choices[1..], c => Assert.False(c.GetProperty("delta").TryGetProperty("role", out _)));
        string text = string.Concat(choices.Select(c => c.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
        Assert.Equal(Expected.Text, text);
        Assert.Equal("length", choices[^1].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task TextParts_AndTheDeveloperRole_AreTheSameConversation()
    {
        var server = await TestServer.SharedAsync();
        var answer = await server.PostAsync(Path, """
            {"messages":[{"role":"developer","content":"be short"},{"role":"user","name":"Ann","content":[{"type":"text","text":"the "},{"type":"text","text":"end"}]}],
             "max_completion_tokens":20,"temperature":0,"ignore_eos":true}
            """);
        Assert.Equal(Expected.Text, answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
    }

    [Fact]
    public async Task Logprobs_AreTheModelsOwn_InBothForms()
    {
        var server = await TestServer.SharedAsync();
        int[] prompt = TestPackage.Model.Encode(TestServer.Render([new ChatTurn("user", "the end")]));
        var expected = new List<GeneratedPiece>();
        await foreach (var piece in TestPackage.Model.GenerateAsync(prompt, Greedy with { MaxNewTokens = 6, Logprobs = 3 }))
        {
            expected.Add(piece);
        }
        var chat = await server.PostAsync(Path, """{"messages":[{"role":"user","content":"the end"}],"max_tokens":6,"temperature":0,"ignore_eos":true,"logprobs":true,"top_logprobs":3}""");
        var content = chat.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray().ToArray();
        Assert.Equal(6, content.Length);
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(expected[i].Logprobs!.Logprob, content[i].GetProperty("logprob").GetSingle(), 1e-4);
            Assert.Equal(TestPackage.Model.TokenBytes(expected[i].TokenId).ToArray().Select(b => (int)b), content[i].GetProperty("bytes").Deserialize<int[]>()!);
            var top = content[i].GetProperty("top_logprobs").EnumerateArray().ToArray();
            Assert.Equal(3, top.Length);
            Assert.Equal(content[i].GetProperty("token").GetString(), top[0].GetProperty("token").GetString()); // greedy takes the likeliest
        }

        var legacy = await server.PostAsync("/v1/completions", JsonSerializer.Serialize(new { prompt, max_tokens = 6, temperature = 0, ignore_eos = true, logprobs = 3 }));
        var lists = legacy.GetProperty("choices")[0].GetProperty("logprobs");
        Assert.Equal(content.Select(c => c.GetProperty("token").GetString()), lists.GetProperty("tokens").Deserialize<string[]>()!);
        Assert.All(lists.GetProperty("token_logprobs").Deserialize<float[]>()!.Zip(expected), pair => Assert.Equal(pair.Second.Logprobs!.Logprob, pair.First, 1e-4));
        Assert.All(lists.GetProperty("top_logprobs").EnumerateArray(), top => Assert.InRange(top.EnumerateObject().Count(), 1, 3));
        string text = legacy.GetProperty("choices")[0].GetProperty("text").GetString()!;
        var offsets = lists.GetProperty("text_offset").Deserialize<int[]>()!;
        Assert.All(offsets.Zip(expected), pair =>
        {
            string token = System.Text.Encoding.UTF8.GetString(TestPackage.Model.TokenBytes(pair.Second.TokenId));
            Assert.True(token.Contains('\ufffd', StringComparison.Ordinal) || text[pair.First..].StartsWith(token, StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task JsonSchema_ShapesTheAnswer()
    {
        var server = await TestServer.SharedAsync();
        const string schema = """{"type":"object","properties":{"name":{"type":"string","maxLength":5},"age":{"type":"integer","minimum":0,"maximum":9}},"required":["name","age"],"additionalProperties":false}""";
        string format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"person\",\"strict\":true,\"schema\":" + schema + "}}";
        for (int seed = 0; seed < 3; seed++)
        {
            var answer = await server.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"a"}],"max_tokens":200,"response_format":{{format}},"seed":{{seed}} }""");
            var choice = answer.GetProperty("choices")[0];
            Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
            var person = JsonElement.Parse(choice.GetProperty("message").GetProperty("content").GetString()!);
            Assert.Equal(["name", "age"], person.EnumerateObject().Select(p => p.Name));
            Assert.InRange(person.GetProperty("name").GetString()!.EnumerateRunes().Count(), 0, 5);
            Assert.InRange(person.GetProperty("age").GetInt32(), 0, 9);
        }
    }

    [Fact]
    public async Task UnsupportedSchema_IsRefusedByName()
    {
        var server = await TestServer.SharedAsync();
        using var response = await server.SendAsync(Path, """{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","frobnicate":1}}}}""");
        var error = await TestServer.ErrorAsync(response, System.Net.HttpStatusCode.BadRequest);
        Assert.Equal("response_format.json_schema.schema", error.GetProperty("param").GetString());
        Assert.Contains("frobnicate", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
