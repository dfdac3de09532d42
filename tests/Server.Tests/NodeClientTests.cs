using System.Text.Json;
using LatentMoE.Pipeline.Tests;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

/// <summary>OpenAI's own npm client against the server; its script asks once, and each test reads a part of the answers.</summary>
public sealed class NodeClientTests(NodeClientTests.Answers answers) : IClassFixture<NodeClientTests.Answers>
{
    private const string Prompt = "Once upon a time";

    private const int Tokens = 24;

    private string Greedy(string prompt) => answers.Model.Generate(prompt, GenerationOptions.Greedy with { MaxNewTokens = Tokens }).Text;

    private JsonElement this[string name] => answers.Found.GetProperty(name);

    [Fact]
    public void Models_ListAndRetrieve_NameTheModel()
    {
        var model = Assert.Single(this["models"].EnumerateArray());
        Assert.Equal("small-moe", model.GetProperty("id").GetString());
        Assert.Equal("model", model.GetProperty("object").GetString());
        Assert.Equal(answers.Model.ContextLength, model.GetProperty("max_model_len").GetInt32());
        Assert.Equal(model.GetProperty("id").GetString(), this["model"].GetProperty("id").GetString());
    }

    [Fact]
    public void Completion_WholeAndStreamed_AreTheModelsOwn()
    {
        var choice = this["completion"].GetProperty("choices")[0];
        Assert.Equal(Greedy(Prompt), choice.GetProperty("text").GetString());
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(Tokens, choice.GetProperty("logprobs").GetProperty("tokens").GetArrayLength());
        CheckUsage(this["completion"].GetProperty("usage"), answers.Model.EncodePrompt(Prompt).Length);
        Assert.Equal(choice.GetProperty("text").GetString(), this["streamed"].GetProperty("text").GetString());
        Assert.Equal(choice.GetProperty("logprobs").GetProperty("tokens").ToString(), this["streamed"].GetProperty("tokens").ToString());
        Assert.Equal("length", this["streamed"].GetProperty("finish").GetString());
        CheckUsage(this["streamed"].GetProperty("usage"), answers.Model.EncodePrompt(Prompt).Length);
    }

    [Fact]
    public void Completion_TwoPromptsTwoAnswers_AreNumberedAndSeeded()
    {
        var several = this["several"].EnumerateArray().OrderBy(choice => choice.GetProperty("index").GetInt32()).ToArray();
        Assert.Equal([0, 1, 2, 3], several.Select(choice => choice.GetProperty("index").GetInt32()));
        string[] texts = [.. several.Select(choice => choice.GetProperty("text").GetString()!)];
        Assert.NotEqual(texts[0], texts[1]);
    }

    [Fact]
    public void Chat_WholeAndStreamed_ContinueTheTemplate()
    {
        var (chat, streamed) = (this["chat"], this["chatStreamed"]);
        var expected = answers.Model.Generate(answers.Model.Encode($"Tell stories.\n{Prompt}\n"), GenerationOptions.Greedy with { MaxNewTokens = Tokens });
        Assert.Equal("assistant", chat.GetProperty("role").GetString());
        Assert.Equal(expected.Text, chat.GetProperty("text").GetString());
        Assert.Equal(Tokens, chat.GetProperty("logprobs").GetArrayLength());
        Assert.All(chat.GetProperty("logprobs").EnumerateArray(), entry => Assert.Equal(2, entry.GetProperty("top_logprobs").GetArrayLength()));
        Assert.Equal("assistant", streamed.GetProperty("role").GetString());
        Assert.Equal(expected.Text, streamed.GetProperty("text").GetString());
        Assert.Equal(Tokens, streamed.GetProperty("logprobs").GetArrayLength());
        Assert.Equal("length", streamed.GetProperty("finish").GetString());
        CheckUsage(streamed.GetProperty("usage"), answers.Model.Encode($"Tell stories.\n{Prompt}\n").Length);
    }

    [Fact]
    public async Task Stream_AbortedByTheClient_FreesTheRow()
    {
        Assert.InRange(this["aborted"].GetInt32(), 3, 1000);
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (answers.Status.Running > 0 && waited.Elapsed < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(20);
        }
        Assert.Equal(0, answers.Status.Running);
        Assert.True(answers.Status.GeneratedTokens < 20_000, $"{answers.Status.GeneratedTokens} tokens were written");
    }

    [Theory]
    [InlineData("key", "AuthenticationError", 401, null)]
    [InlineData("model", "NotFoundError", 404, "model")]
    [InlineData("value", "BadRequestError", 400, "temperature")]
    [InlineData("prompt", "BadRequestError", 400, "prompt")]
    [InlineData("tools", "BadRequestError", 400, "tools")]
    public void Failure_IsTheClientsOwnException(string name, string kind, int status, string? parameter)
    {
        var failure = this["failures"].GetProperty(name);
        Assert.Equal(kind, failure.GetProperty("kind").GetString());
        Assert.Equal(status, failure.GetProperty("status").GetInt32());
        Assert.Equal(parameter, failure.GetProperty("param").GetString());
        Assert.Equal("invalid_request_error", failure.GetProperty("type").GetString());
        Assert.NotEmpty(failure.GetProperty("message").GetString()!);
    }

    private static void CheckUsage(JsonElement usage, int prompt)
    {
        Assert.Equal(prompt, usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(Tokens, usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(prompt + Tokens, usage.GetProperty("total_tokens").GetInt32());
    }

    /// <summary>A server, and what the client got from it.</summary>
    public sealed class Answers : IAsyncLifetime
    {
        private readonly PlaygroundServer _server = new();

        public JsonElement Found { get; private set; }

        public LanguageModel Model => _server.Model;

        public EngineStatus Status => _server.Status;

        public async Task InitializeAsync()
        {
            await _server.InitializeAsync();
            var outcome = await Task.Run(() => NodeModules.Run("openai.mjs", [_server.Url, PlaygroundServer.Key]));
            Found = JsonDocument.Parse(outcome.LastLine).RootElement;
        }

        public Task DisposeAsync() => _server.DisposeAsync();
    }
}
