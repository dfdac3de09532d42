using System.ClientModel;
using System.Text.Json;
using LatentMoE.Runtime;
using OpenAI.Chat;

namespace LatentMoE.Server.Tests;

/// <summary>The official .NET client against the server.</summary>
[Collection(nameof(TestPackage))]
public class OpenAIClientTests
{
    private static readonly ChatMessage[] Conversation = [new SystemChatMessage("be short"), new UserChatMessage("the end")];

    private static GenerationResult Greedy(int tokens) => TestPackage.Model.Generate(
        TestPackage.Model.Encode("system: be short\nuser: the end\nassistant:"), GenerationOptions.Greedy with { MaxNewTokens = tokens });

    [Fact]
    public async Task Models_AreListedAndFound()
    {
        var server = await TestServer.SharedAsync();
        var client = server.OpenAI().GetOpenAIModelClient();
        Assert.Equal([TestPackage.Name], (await client.GetModelsAsync()).Value.Select(model => model.Id));
        Assert.Equal("latentmoe", (await client.GetModelAsync(TestPackage.Name)).Value.OwnedBy);
        var missing = await Assert.ThrowsAsync<ClientResultException>(() => client.GetModelAsync("other"));
        Assert.Equal(404, missing.Status);
    }

    [Fact]
    public async Task Chat_Whole_EqualsTheModelsOwnAnswer()
    {
        var server = await TestServer.SharedAsync();
        ChatCompletion answer = await Client(server).CompleteChatAsync(Conversation, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 16 });
        var expected = Greedy(16);
        Assert.Equal(expected.Text, answer.Content[0].Text);
        Assert.Equal(expected.FinishReason is FinishReason.MaxNewTokens ? ChatFinishReason.Length : ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal((expected.Statistics.PromptTokens, expected.TokenIds.Count), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task Chat_Stream_EqualsTheModelsOwnAnswer()
    {
        var server = await TestServer.SharedAsync();
        string text = "";
        ChatFinishReason? finish = null;
        ChatTokenUsage? usage = null;
        await foreach (var update in Client(server).CompleteChatStreamingAsync(Conversation, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 16 }))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            (finish, usage) = (update.FinishReason ?? finish, update.Usage ?? usage);
        }
        Assert.Equal(Greedy(16).Text, text);
        Assert.Equal(ChatFinishReason.Length, finish);
        Assert.Equal(16, usage!.OutputTokenCount); // the client asks for it by itself
    }

    [Fact]
    public async Task Chat_SameSeed_SameAnswer()
    {
        var server = await TestServer.SharedAsync();
        Assert.Equal(await Text(4), await Text(4));
        Assert.NotEqual(await Text(4), await Text(5));

        async Task<string> Text(long seed)
        {
#pragma warning disable OPENAI001 // the client calls seeds experimental
            var options = new ChatCompletionOptions { Seed = seed, Temperature = 1, MaxOutputTokenCount = 24 };
#pragma warning restore OPENAI001
            ChatCompletion answer = await Client(server).CompleteChatAsync(Conversation, options);
            return answer.Content[0].Text;
        }
    }

    [Fact]
    public async Task Chat_StopAndPenalties_AreUnderstood()
    {
        var server = await TestServer.SharedAsync();
        string text = Greedy(16).Text;
        var options = new ChatCompletionOptions { Temperature = 0, TopP = 1, MaxOutputTokenCount = 16, PresencePenalty = 0, FrequencyPenalty = 0, EndUserId = "me" };
        options.StopSequences.Add(text[5..8]);
        ChatCompletion answer = await Client(server).CompleteChatAsync(Conversation, options);
        Assert.Equal(text[..text.IndexOf(text[5..8], StringComparison.Ordinal)], answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
    }

    [Fact]
    public async Task Chat_Logprobs_ComeWithTheirAlternatives()
    {
        var server = await TestServer.SharedAsync();
        ChatCompletion answer = await Client(server).CompleteChatAsync(
            Conversation, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 5, IncludeLogProbabilities = true, TopLogProbabilityCount = 4 });
        Assert.Equal(5, answer.ContentTokenLogProbabilities.Count);
        Assert.All(answer.ContentTokenLogProbabilities, token =>
        {
            Assert.Equal(4, token.TopLogProbabilities.Count);
            Assert.Equal(token.LogProbability, token.TopLogProbabilities[0].LogProbability);
            Assert.True(token.TopLogProbabilities.Sum(top => Math.Exp(top.LogProbability)) < 1.0001);
        });
    }

    [Fact]
    public async Task Chat_JsonSchema_IsKept()
    {
        var server = await TestServer.SharedAsync();
        var schema = BinaryData.FromString("""{"type":"object","properties":{"sure":{"type":"boolean"}},"required":["sure"],"additionalProperties":false}""");
        ChatCompletion answer = await Client(server).CompleteChatAsync(
            Conversation, new ChatCompletionOptions { MaxOutputTokenCount = 100, ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("answer", schema, jsonSchemaIsStrict: true) });
        Assert.True(JsonElement.Parse(answer.Content[0].Text).GetProperty("sure").ValueKind is JsonValueKind.True or JsonValueKind.False);
    }

    [Fact]
    public async Task Chat_Tools_AreRefused()
    {
        var server = await TestServer.SharedAsync();
        var options = new ChatCompletionOptions();
        options.Tools.Add(ChatTool.CreateFunctionTool("weather"));
        var failure = await Assert.ThrowsAsync<ClientResultException>(() => Client(server).CompleteChatAsync(Conversation, options));
        Assert.Equal(400, failure.Status);
        Assert.Contains("tools", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_LeavingAStream_FreesTheRow()
    {
        await using var server = await TestServer.StartAsync();
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 20_000, Temperature = 1 };
        options.LogitBiases.Add(0, -100); // it never ends by itself
        await foreach (var update in Client(server).CompleteChatStreamingAsync(Conversation, options))
        {
            Assert.Equal(1, server.Engine.Status.Running);
            break;
        }
        await server.IdleAsync();
        Assert.InRange(server.Engine.Status.GeneratedTokens, 1, 19_000);
    }

    // The client has no type for completions; its pipeline sends them.
    [Fact]
    public async Task Completions_ThroughThePipeline_EqualTheModelsOwnAnswer()
    {
        var server = await TestServer.SharedAsync();
        var client = server.OpenAI();
        using var message = client.Pipeline.CreateMessage();
        message.Request.Method = "POST";
        message.Request.Uri = new Uri(server.Address, "v1/completions");
        message.Request.Headers.Set("Content-Type", "application/json");
        message.Request.Content = BinaryContent.Create(BinaryData.FromString("""{"model":"story","prompt":"the end","temperature":0,"max_tokens":12}"""));
        await client.Pipeline.SendAsync(message);
        var answer = JsonElement.Parse(message.Response!.Content.ToString());
        string expected = TestPackage.Model.Generate("the end", GenerationOptions.Greedy with { MaxNewTokens = 12 }).Text;
        Assert.Equal(expected, answer.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    private static ChatClient Client(TestServer server) => server.OpenAI().GetChatClient(TestPackage.Name);
}
