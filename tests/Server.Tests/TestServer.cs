using System.ClientModel;
using System.ClientModel.Primitives;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using LatentMoE.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenAI;

namespace LatentMoE.Server.Tests;

/// <summary>A real server on a free loopback port, with clients for it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private static readonly Lazy<Task<TestServer>> Shared = new(() => StartAsync());

    private readonly WebApplication _app;
    private readonly LogLines _log;

    private TestServer(WebApplication app, LogLines log)
    {
        (_app, _log) = (app, log);
        Address = new Uri(app.Urls.Single().Replace("localhost", "127.0.0.1", StringComparison.Ordinal));
        Http = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0 }) { BaseAddress = Address }; // leaves at once, as browsers do
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public WebApplication App => _app;

    public InferenceEngine Engine => _app.Services.GetRequiredService<InferenceEngine>();

    public IReadOnlyList<string> Log => _log.Lines;

    /// <summary>A server with the usual options for tests that leave no trace in it.</summary>
    public static Task<TestServer> SharedAsync() => Shared.Value;

    public static async Task RemoveSharedAsync()
    {
        if (Shared.IsValueCreated)
        {
            await (await Shared.Value).DisposeAsync();
        }
    }

    public static async Task<TestServer> StartAsync(ServerOptions? options = null, LanguageModel? model = null)
    {
        var log = new LogLines();
        var app = LatentMoEServer.Build(
            model ?? TestPackage.Model,
            (options ?? new ServerOptions()) with { Port = 0 },
            builder => builder.Logging.ClearProviders().AddProvider(log));
        await app.StartAsync();
        return new TestServer(app, log);
    }

    /// <summary>What <see cref="TestPackage.ChatTemplate"/> makes of a conversation.</summary>
    public static string Render(IReadOnlyList<ChatTurn> turns) => string.Concat(turns.Select(turn => $"{turn.Role}: {turn.Content}\n")) + "assistant:";

    /// <summary>The official client, without its retries.</summary>
    public OpenAIClient OpenAI(string key = "none") => new(
        new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

    public async Task<JsonElement> PostAsync(string path, string body) => await SuccessAsync(await SendAsync(path, body));

    public Task<HttpResponseMessage> SendAsync(string path, string body, string type = "application/json", CancellationToken cancellationToken = default) =>
        Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, type) },
            HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>The events of a stream, the mark at its end left out.</summary>
    public async Task<IReadOnlyList<JsonElement>> StreamAsync(string path, string body)
    {
        using var response = await SendAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        string[] events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, e => Assert.StartsWith("data: ", e, StringComparison.Ordinal));
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(e => JsonElement.Parse(e["data: ".Length..]))];
    }

    public async Task<JsonElement> GetAsync(string path) => await SuccessAsync(await Http.GetAsync(path));

    /// <summary>Checks that an answer is OpenAI's error object and gives it.</summary>
    public static async Task<JsonElement> ErrorAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        var error = JsonElement.Parse(text).GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(property => property.Name));
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        return error;
    }

    /// <summary>The first line of an answer that streams on.</summary>
    public static async Task<StreamReader> FirstEventAsync(HttpResponseMessage response)
    {
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: {", await reader.ReadLineAsync(), StringComparison.Ordinal);
        return reader;
    }

    /// <summary>Waits until the engine has no request any more.</summary>
    public Task IdleAsync() => UntilAsync(() => Engine.Status is { Running: 0, Waiting: 0 }, "the engine still has requests");

    public static async Task UntilAsync(Func<bool> reached, string problem)
    {
        long start = Stopwatch.GetTimestamp();
        while (!reached())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), problem);
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }

    private static async Task<JsonElement> SuccessAsync(HttpResponseMessage response)
    {
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {text}");
            return JsonElement.Parse(text);
        }
    }
}
