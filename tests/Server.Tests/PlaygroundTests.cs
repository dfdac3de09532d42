using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LatentMoE.Pipeline.Tests;

namespace LatentMoE.Server.Tests;

/// <summary>The page at / in headless Chromium; the browser's script uses it once, and each test reads what came of one part.</summary>
public sealed class PlaygroundTests(PlaygroundTests.Visit visit) : IClassFixture<PlaygroundTests.Visit>
{
    private const string Prompt = "Once upon a time";

    private const int Tokens = 24;

    [Fact]
    public void Page_Throughout_LogsNoErrorsAndAsksNoOtherOrigin()
    {
        Assert.Empty(visit.Found.GetProperty("problems").EnumerateArray());
        Assert.Empty(visit.Found.GetProperty("foreign").EnumerateArray());
    }

    [Fact]
    public void Key_Missing_IsAskedForAndKept()
    {
        var access = visit.Found.GetProperty("access");
        Assert.Contains("key", access.GetProperty("refused").GetString());
        Assert.Equal(PlaygroundServer.Key, access.GetProperty("kept").GetString());
    }

    [Fact]
    public async Task Writing_Greedy_ShowsTheAnswerOfTheServer()
    {
        var (writing, answer) = (visit.Found.GetProperty("writing"), await visit.CompletionAsync());
        Assert.Equal("small-moe", writing.GetProperty("model").GetString());
        Assert.Equal(answer.GetProperty("text").GetString(), writing.GetProperty("text").GetString());
        Assert.Equal(Tokens, writing.GetProperty("tokens").GetInt32());
        Assert.StartsWith($"{Tokens} tokens", writing.GetProperty("status").GetString());
        Assert.False(writing.GetProperty("error").GetBoolean());
        var figures = writing.GetProperty("figures");
        Assert.True(double.Parse(figures.GetProperty("rate").GetString()!) > 0);
        Assert.Matches(@"^\d+ ms$", figures.GetProperty("first").GetString());
        Assert.Equal($"{Tokens}", figures.GetProperty("written").GetString());
        Assert.Matches($"^\\d+ of {visit.Model.EncodePrompt(Prompt).Length}$", figures.GetProperty("cached").GetString());
    }

    [Fact]
    public async Task Popover_FocusedToken_ShowsTheAlternativesOfTheServer()
    {
        var focused = visit.Found.GetProperty("alternatives").GetProperty("focused");
        int index = focused.GetProperty("index").GetInt32();
        Assert.Equal(1, index);
        var expected = (await visit.CompletionAsync()).GetProperty("logprobs").GetProperty("top_logprobs")[index]
            .EnumerateObject().Select(top => 100 * Math.Exp(top.Value.GetDouble())).OrderDescending().ToArray();
        double[] shown = [.. focused.GetProperty("alternatives").EnumerateArray().Select(row => row[1].GetDouble())];
        Assert.Equal(expected.Length, shown.Length);
        Assert.All(expected.Zip(shown), pair => Assert.Equal(pair.First, pair.Second, tolerance: 0.51));
        Assert.Equal(1, focused.GetProperty("chosen").GetInt32());
        Assert.Contains(" %, ", focused.GetProperty("spoken").GetString());
    }

    [Fact]
    public void Popover_MouseAndKeyboard_OpensAndCloses()
    {
        var alternatives = visit.Found.GetProperty("alternatives");
        Assert.NotEmpty(alternatives.GetProperty("hovered").GetProperty("alternatives").EnumerateArray());
        Assert.True(alternatives.GetProperty("hovered").GetProperty("inside").GetBoolean());
        Assert.True(alternatives.GetProperty("gone").GetBoolean(), "the popover stays when the mouse has left");
        Assert.True(alternatives.GetProperty("closed").GetBoolean(), "Escape does not close the popover");
        Assert.Equal(1, alternatives.GetProperty("stops").GetInt32());
    }

    [Fact]
    public async Task Experts_WrittenTokens_AreCountedAndFoundAgain()
    {
        var (experts, answer) = (visit.Found.GetProperty("experts"), await visit.CompletionAsync());
        int withFirst = answer.GetProperty("experts").EnumerateArray().Count(token => token[0].EnumerateArray().Any(expert => expert.GetInt32() == 0));
        Assert.Equal(Tokens, experts.GetProperty("counted").GetInt32());
        Assert.Equal(withFirst, experts.GetProperty("lit").GetInt32());
        Assert.StartsWith($"MoE layer 0, expert 0: {withFirst} of {Tokens} tokens", experts.GetProperty("note").GetString());
        Assert.True(experts.GetProperty("colours").GetInt32() > 3, "the map has no shades");
        Assert.StartsWith("The experts of this token", visit.Found.GetProperty("alternatives").GetProperty("marked").GetString());
    }

    [Fact]
    public async Task Stop_AtTheThirdToken_WritesNoFurtherAndFreesTheRow()
    {
        var stopping = visit.Found.GetProperty("stopping");
        Assert.Equal(3, stopping.GetProperty("tokens").GetInt32());
        Assert.Equal("Stopped after 3 tokens", stopping.GetProperty("status").GetString());
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (visit.Status.Running > 0 && waited.Elapsed < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(20);
        }
        Assert.Equal(0, visit.Status.Running);
        // The stopped answer would have been longer than everything else together.
        Assert.True(visit.Status.GeneratedTokens < Visit.LongAnswer, $"{visit.Status.GeneratedTokens} tokens were written");
    }

    [Fact]
    public void Mistakes_AreNamed()
    {
        var mistakes = visit.Found.GetProperty("mistakes");
        Assert.StartsWith("JSON schema: ", mistakes.GetProperty("schema").GetString());
        Assert.StartsWith("Top-p: expected a number from 0.01 to 1", mistakes.GetProperty("range").GetString());
        Assert.Equal("the queue is full", mistakes.GetProperty("refused").GetString());
        Assert.Equal("0.95", mistakes.GetProperty("reset").GetString());
    }

    [Fact]
    public void Stream_PlainBrokenOrFailed_ShowsWhatCame()
    {
        var bare = visit.Found.GetProperty("bare");
        string[] Shown(string name) => [.. bare.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];
        Assert.Equal("Hello <b>world</b>", Shown("plain")[0]);
        Assert.Empty(Shown("plain")[2]);
        Assert.Equal(["Hello", "Broken off after 1 token", "The server broke the answer off."], Shown("broken"));
        Assert.Equal(["Hello", "Broken off after 1 token", "the device is gone"], Shown("failed"));
    }

    [Fact]
    public void Chat_TwoMessages_AreAnswered()
    {
        var chat = visit.Found.GetProperty("chat");
        Assert.False(chat.GetProperty("error").GetBoolean());
        Assert.Equal(4, chat.GetProperty("turns").GetInt32());
        Assert.InRange(chat.GetProperty("tokens").GetInt32(), 1, 12);
    }

    [Fact]
    public void Narrow_Phone_FitsAndAnswersToTaps()
    {
        var narrow = visit.Found.GetProperty("narrow");
        Assert.Equal(360, narrow.GetProperty("width").GetInt32());
        Assert.True(narrow.GetProperty("tapped").GetProperty("inside").GetBoolean(), "the popover reaches out of the window");
        Assert.True(narrow.GetProperty("closed").GetBoolean(), "a tap elsewhere does not close the popover");
        Assert.Equal("rgb(18, 22, 27)", narrow.GetProperty("dark").GetString());
    }

    /// <summary>A server, and one visit of its page.</summary>
    public sealed class Visit : IAsyncLifetime
    {
        /// <summary>What the page asks for when the visitor stops it.</summary>
        public const int LongAnswer = 20_000;

        private readonly PlaygroundServer _server = new();

        public JsonElement Found { get; private set; }

        public Runtime.LanguageModel Model => _server.Model;

        public Runtime.EngineStatus Status => _server.Status;

        public async Task InitializeAsync()
        {
            await _server.InitializeAsync();
            string script = Path.Combine(Repository.Root, "tests/consumers/browser/playground.mjs");
            var outcome = await Task.Run(() => NodeModules.Run(script, [_server.Url, "--key", PlaygroundServer.Key, "--long", $"{LongAnswer}"]));
            Found = JsonDocument.Parse(outcome.LastLine).RootElement;
        }

        /// <summary>The answer that the page should have shown.</summary>
        public async Task<JsonElement> CompletionAsync()
        {
            using var client = new HttpClient { BaseAddress = new Uri(_server.Url) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", PlaygroundServer.Key);
            var response = await client.PostAsJsonAsync("v1/completions", new { prompt = Prompt, max_tokens = Tokens, temperature = 0, logprobs = 5, experts = true });
            return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("choices")[0];
        }

        public Task DisposeAsync() => _server.DisposeAsync();
    }
}
