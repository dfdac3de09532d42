using System.Text.Json;
using Microsoft.Extensions.AI;

namespace LatentMoE.Runtime.Tests.Chat;

[Collection(nameof(TestPackages))]
public sealed class ChatRequestTests : IDisposable
{
    private readonly ChatPackage _package = new();
    private readonly LatentMoEChatClient _client;

    public ChatRequestTests() => _client = new LatentMoEChatClient(_package.Engine);

    public void Dispose() => _package.Dispose();

    [Fact]
    public void Options_EveryValue_IsMapped()
    {
        var options = Map(new ChatOptions
        {
            Temperature = 0.5f,
            TopK = 3,
            TopP = 0.6f,
            Seed = -1,
            MaxOutputTokens = 9,
            StopSequences = ["a", "b"],
            FrequencyPenalty = 0.1f,
            PresencePenalty = 0.2f,
            ModelId = _package.Model.Name,
            ToolMode = ChatToolMode.Auto,
            AdditionalProperties = new() { ["min_p"] = 0.05, ["typical_p"] = 0.9f, ["repetition_penalty"] = JsonDocument.Parse("1.1").RootElement, ["other"] = "kept by others" },
        });
        Assert.Equal((0.5f, 3, 0.6f, ulong.MaxValue, 9), (options.Temperature, options.TopK, options.TopP, options.Seed, options.MaxNewTokens));
        Assert.Equal(["a", "b"], options.StopStrings);
        Assert.Equal((0.1f, 0.2f), (options.FrequencyPenalty, options.PresencePenalty));
        Assert.Equal((0.05f, 0.9f, 1.1f), (options.MinP, options.TypicalP, options.RepetitionPenalty));
    }

    [Fact]
    public void Options_Nothing_AreTheDefaults()
    {
        var defaults = new GenerationOptions { Temperature = 0.3f, MaxNewTokens = 5, Seed = 4, StopStrings = ["x"], MinP = 0.1f, Grammar = Grammar.JsonObject };
        Assert.Same(defaults, ChatRequest.Options(null, defaults, _client));
        Assert.Equal(defaults, ChatRequest.Options(new ChatOptions(), defaults, _client));
    }

    [Fact]
    public void Options_ResponseFormat_IsAGrammar()
    {
        Assert.Same(Grammar.JsonObject, Map(new() { ResponseFormat = ChatResponseFormat.Json }).Grammar);
        var schema = JsonDocument.Parse("""{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}""").RootElement;
        var grammar = Map(new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema) }).Grammar;
        Assert.NotNull(grammar);
        Assert.NotSame(Grammar.JsonObject, grammar);
        Assert.Null(ChatRequest.Options(new() { ResponseFormat = ChatResponseFormat.Text }, new() { Grammar = Grammar.JsonObject }, _client).Grammar);
    }

    [Fact]
    public void Options_RawRepresentation_ComesBeforeTheDefaults()
    {
        var options = Map(new() { RawRepresentationFactory = client => client == _client ? new GenerationOptions { TopK = 4, MinP = 0.2f } : null, TopK = 5 });
        Assert.Equal((5, 0.2f), (options.TopK, options.MinP));
    }

    [Fact]
    public void Options_WhatTheModelCannotDo_IsNamed()
    {
        Refused<NotSupportedException>(new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] }, "ChatOptions.Tools is set");
        Refused<NotSupportedException>(new() { ToolMode = ChatToolMode.RequireAny }, "ChatOptions.ToolMode is set");
        Refused<NotSupportedException>(new() { ConversationId = "c" }, "ChatOptions.ConversationId is set");
        Refused<ArgumentException>(new() { ModelId = "gpt" }, "ChatOptions.ModelId is \"gpt\"");
        Refused<ArgumentException>(new() { AdditionalProperties = new() { ["min_p"] = "much" } }, "[\"min_p\"] is much; expected a number");
    }

    [Fact]
    public void Turns_ContentsOfAMessage_AreJoined()
    {
        var turns = ChatRequest.Turns([new(ChatRole.User, [new TextContent("a "), new TextContent("b")]), new(new ChatRole("judge"), "c")], "be kind");
        Assert.Equal([new("system", "be kind"), new("user", "a b"), new("judge", "c")], turns);
    }

    [Fact]
    public void Turns_PictureInAMessage_IsNamed() => Assert.Contains("Message 1 holds DataContent", Assert.Throws<NotSupportedException>(() =>
        ChatRequest.Turns([new(ChatRole.User, "a"), new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])], null)).Message);

    private GenerationOptions Map(ChatOptions options) => ChatRequest.Options(options, new GenerationOptions(), _client);

    private void Refused<T>(ChatOptions options, string message)
        where T : Exception => Assert.Contains(message, Assert.ThrowsAny<T>(() => Map(options)).Message);
}
