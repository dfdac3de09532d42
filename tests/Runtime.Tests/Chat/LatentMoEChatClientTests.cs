using Microsoft.Extensions.AI;

namespace LatentMoE.Runtime.Tests.Chat;

[Collection(nameof(TestPackages))]
public sealed class LatentMoEChatClientTests : IDisposable
{
    private static readonly ChatMessage[] Asked = [new(ChatRole.System, "Be kind."), new(ChatRole.User, "the hand")];

    private readonly ChatPackage _package = new();
    private readonly IChatClient _client;

    public LatentMoEChatClientTests() => _client = _package.Engine.AsChatClient(GenerationOptions.Greedy with { MaxNewTokens = 12, IgnoreEndOfSequence = true });

    public void Dispose() => _package.Dispose();

    [Fact]
    public async Task GetResponse_IsTheEnginesAnswerToTheTemplatesPrompt()
    {
        var response = await _client.GetResponseAsync(Asked);
        var expected = _package.Model.Generate(
            _package.Model.EncodeChat([new("system", "Be kind."), new("user", "the hand")]), GenerationOptions.Greedy with { MaxNewTokens = 12, IgnoreEndOfSequence = true });
        Assert.Equal(expected.Text, response.Text);
        Assert.Equal(ChatRole.Assistant, Assert.Single(response.Messages).Role);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(expected.Statistics.PromptTokens, response.Usage!.InputTokenCount);
        Assert.Equal(12, response.Usage.OutputTokenCount);
        Assert.Equal(response.Usage.InputTokenCount + 12, response.Usage.TotalTokenCount);
        Assert.Equal(0, response.Usage.CachedInputTokenCount);
        Assert.Equal(_package.Model.Name, response.ModelId);
        Assert.StartsWith("chatcmpl-", response.ResponseId);
        Assert.InRange(response.CreatedAt!.Value, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task GetStreamingResponse_Joined_IsTheWholeAnswer()
    {
        var updates = await _client.GetStreamingResponseAsync(Asked).ToListAsync();
        Assert.True(updates.Count > 1);
        Assert.Equal((await _client.GetResponseAsync(Asked)).Text, string.Concat(updates.Select(update => update.Text)));
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        Assert.All(updates[..^1], update => Assert.Null(update.FinishReason));
        Assert.Equal(ChatFinishReason.Length, updates[^1].FinishReason);
        Assert.Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>());
    }

    [Fact]
    public async Task GetResponse_TwoCalls_HaveTheirOwnIds() =>
        Assert.NotEqual((await _client.GetResponseAsync(Asked)).ResponseId, (await _client.GetResponseAsync(Asked)).ResponseId);

    [Fact]
    public async Task Options_ReachTheModel()
    {
        string whole = (await _client.GetResponseAsync(Asked)).Text;
        string stop = whole.Substring(3, 1);
        var stopped = await _client.GetResponseAsync(Asked, new() { StopSequences = [stop] });
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
        Assert.Equal(5, (await _client.GetResponseAsync(Asked, new() { MaxOutputTokens = 5 })).Usage!.OutputTokenCount);

        var drawn = new ChatOptions { Temperature = 1.5f, Seed = 7, TopK = 50, TopP = 0.99f };
        string first = (await _client.GetResponseAsync(Asked, drawn)).Text;
        Assert.Equal(first, (await _client.GetResponseAsync(Asked, drawn)).Text);
        drawn.Seed = 8;
        Assert.NotEqual(first, (await _client.GetResponseAsync(Asked, drawn)).Text);
        drawn.TopK = 1;
        Assert.Equal(whole, (await _client.GetResponseAsync(Asked, drawn)).Text);
    }

    [Fact]
    public async Task Instructions_AreASystemMessage()
    {
        var options = new ChatOptions { Instructions = "Be kind." };
        Assert.Equal((await _client.GetResponseAsync(Asked)).Usage!.InputTokenCount, (await _client.GetResponseAsync([Asked[1]], options)).Usage!.InputTokenCount);
    }

    [Fact]
    public async Task Cancellation_EndsTheStream()
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in _client.GetStreamingResponseAsync(Asked, new() { MaxOutputTokens = 200 }, stop.Token))
            {
                await stop.CancelAsync();
            }
        });
        Assert.Equal(12, (await _client.GetResponseAsync(Asked)).Usage!.OutputTokenCount);
    }

    [Fact]
    public void GetService_FindsWhatTheClientIsMadeOf()
    {
        var metadata = Assert.IsType<ChatClientMetadata>(_client.GetService(typeof(ChatClientMetadata)));
        Assert.Equal(("latentmoe", _package.Model.Name), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Same(_package.Engine, _client.GetService(typeof(InferenceEngine)));
        Assert.Same(_package.Model, _client.GetService(typeof(LanguageModel)));
        Assert.Same(_client, _client.GetService(typeof(IChatClient)));
        Assert.Null(_client.GetService(typeof(string)));
        Assert.Null(_client.GetService(typeof(InferenceEngine), "other"));
    }
}
