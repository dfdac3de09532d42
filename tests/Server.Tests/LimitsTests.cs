using System.Net;
using System.Text;
using System.Text.Json;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class LimitsTests
{
    private const string Path = "/v1/completions";
    private const string Endless = """{"prompt":"the","max_tokens":30000,"ignore_eos":true,"stream":true}""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Body_LongerThanTheLimit_Is413(bool chunked)
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { MaxBodyBytes = 1000 });
        string body = JsonSerializer.Serialize(new { prompt = new string('a', 2000) });
        HttpContent content = chunked ? new StreamContent(new ForwardOnly(Encoding.UTF8.GetBytes(body))) : new StringContent(body);
        content.Headers.ContentType = new("application/json");
        using var response = await server.Http.PostAsync(Path, content);
        await TestServer.ErrorAsync(response, HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100)]
    public async Task Prompt_LongerThanTheLimit_IsRefusedWithItsLength(int? limit)
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { MaxPromptTokens = limit });
        int length = (limit ?? TestPackage.Context - 1) + 1;
        string prompt = JsonSerializer.Serialize(Enumerable.Repeat(17, length));
        var error = await TestServer.ErrorAsync(await server.SendAsync(Path, $$"""{"prompt":{{prompt}}}"""), HttpStatusCode.BadRequest);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Contains(length.ToString(), error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, server.Engine.Status.PromptTokens);
    }

    [Fact]
    public async Task MaxNewTokens_BoundsWhatIsAskedFor_AndWhatIsNot()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { MaxNewTokens = 8 });
        var error = await TestServer.ErrorAsync(await server.SendAsync(Path, """{"prompt":"a","max_tokens":9}"""), HttpStatusCode.BadRequest);
        Assert.Equal("max_tokens", error.GetProperty("param").GetString());
        var chat = await server.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"a"}],"ignore_eos":true}""");
        Assert.Equal(8, chat.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task CacheTooSmallForTheRequest_IsSaid()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { Engine = new EngineOptions { CacheBytes = 1 << 16 } });
        var error = await TestServer.ErrorAsync(await server.SendAsync(Path, """{"prompt":"a","max_tokens":30000}"""), HttpStatusCode.BadRequest);
        Assert.Equal("cache_exceeded", error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task FullQueue_Is429_WithRetryAfter()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { Engine = new EngineOptions { MaxRows = 1, MaxQueue = 1 } });
        using var running = await server.SendAsync(Path, Endless);
        using var first = await TestServer.FirstEventAsync(running);
        using var cancel = new CancellationTokenSource();
        var waiting = server.SendAsync(Path, Endless, cancellationToken: cancel.Token);
        await TestServer.UntilAsync(() => server.Engine.Status.Waiting == 1, "the second request does not wait");
        using var refused = await server.SendAsync(Path, Endless);
        var error = await TestServer.ErrorAsync(refused, HttpStatusCode.TooManyRequests);
        Assert.Equal("queue_full", error.GetProperty("code").GetString());
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3600);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        running.Dispose();
        await server.IdleAsync();
    }

    [Fact]
    public async Task Timeout_BeforeTheAnswer_Is504_AndFreesTheRow()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { RequestTimeout = TimeSpan.FromMilliseconds(300) });
        var error = await TestServer.ErrorAsync(
            await server.SendAsync(Path, Endless.Replace("\"stream\":true", "\"stream\":false", StringComparison.Ordinal)), HttpStatusCode.GatewayTimeout);
        Assert.Equal("request_timeout", error.GetProperty("code").GetString());
        await server.IdleAsync();
    }

    [Fact]
    public async Task Timeout_DuringTheStream_IsItsLastEvent_AndFreesTheRow()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { RequestTimeout = TimeSpan.FromMilliseconds(300) });
        using var response = await server.SendAsync(Path, Endless);
        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.True(events.Length > 1);
        Assert.Equal("request_timeout", JsonElement.Parse(events[^1]["data: ".Length..]).GetProperty("error").GetProperty("code").GetString());
        await server.IdleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientThatGoesAway_FreesItsRows(bool stream)
    {
        await using var server = await TestServer.StartAsync();
        using (var cancel = new CancellationTokenSource())
        {
            string body = Endless.Replace("\"stream\":true", $"\"n\":2,\"stream\":{(stream ? "true" : "false")}", StringComparison.Ordinal);
            var sending = server.SendAsync(Path, body, cancellationToken: cancel.Token);
            using var response = stream ? await sending : null;
            await TestServer.UntilAsync(() => server.Engine.Status is { Running: 2, GeneratedTokens: > 10 }, "the answers do not run");
            await cancel.CancelAsync();
            if (!stream)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
            }
        }
        await server.IdleAsync();
        Assert.InRange(server.Engine.Status.GeneratedTokens, 10, 5000);
        await TestServer.UntilAsync(() => server.Log.Any(line => line.Contains(Path, StringComparison.Ordinal)), "the request is not logged");
        Assert.Equal([], server.Log.Where(line => line.StartsWith("Error", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task LongHeaders_AreRefused()
    {
        await using var server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("X-Long", new string('a', 40_000));
        using var response = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, response.StatusCode);
    }

    // Its length is not known beforehand.
    private sealed class ForwardOnly(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
