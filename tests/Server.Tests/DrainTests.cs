using System.Net;
using System.Text.Json;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class DrainTests
{
    private const string Path = "/v1/completions";

    [Fact]
    public async Task Stop_LetsAnswersFinish_AndTellsNewcomers()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { DrainTimeout = TimeSpan.FromSeconds(20) });
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/ready")).StatusCode);
        using var running = await server.SendAsync(Path, """{"prompt":"the","max_tokens":1500,"ignore_eos":true,"stream":true}""");
        using var rest = await TestServer.FirstEventAsync(running);
        var stopping = server.App.StopAsync();
        await TestServer.UntilAsync(() => server.Http.GetAsync("/ready").Result.StatusCode is HttpStatusCode.ServiceUnavailable, "the server is still ready");
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health")).StatusCode);
        using var refused = await server.SendAsync(Path, """{"prompt":"the"}""");
        var error = await TestServer.ErrorAsync(refused, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("server_stopping", error.GetProperty("code").GetString());
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.True(refused.Headers.ConnectionClose);
        string[] events = (await rest.ReadToEndAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.Equal("length", JsonElement.Parse(events[^2]["data: ".Length..]).GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Http.GetAsync("/health"));
    }

    [Fact]
    public async Task Stop_BreaksOffWhatTakesTooLong()
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { DrainTimeout = TimeSpan.FromMilliseconds(200) });
        using var running = await server.SendAsync(Path, """{"prompt":"the","max_tokens":30000,"ignore_eos":true,"stream":true}""");
        using var rest = await TestServer.FirstEventAsync(running);
        var stopping = server.App.StopAsync();
        string last = (await rest.ReadToEndAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Equal("server_stopping", JsonElement.Parse(last["data: ".Length..]).GetProperty("error").GetProperty("code").GetString());
        await stopping;
        Assert.InRange(server.Engine.Status.GeneratedTokens, 1, 29_999);
    }

    [Fact]
    public async Task Dispose_DisposesOfTheEngine_AndLeavesTheModel()
    {
        var server = await TestServer.StartAsync();
        var engine = server.Engine;
        await server.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (var _ in engine.GenerateAsync("the"))
            {
            }
        });
        Assert.Single(TestPackage.Model.Generate("the", GenerationOptions.Greedy with { MaxNewTokens = 1 }).TokenIds);
    }
}
