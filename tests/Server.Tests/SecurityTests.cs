using System.Net;
using System.Net.Http.Headers;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class SecurityTests
{
    private const string Models = "/v1/models";

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer ")]
    [InlineData("Bearer first-keyx")]
    [InlineData("Basic first-key")]
    [InlineData("first-key")]
    public async Task WithoutAValidKey_Is401(string? header)
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { ApiKeys = ["first-key", "second-key"] });
        foreach (string path in new[] { Models, "/metrics", "/nowhere" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Authorization", header);
            using var response = await server.Http.SendAsync(request);
            var error = await TestServer.ErrorAsync(response, HttpStatusCode.Unauthorized);
            Assert.Equal("invalid_api_key", error.GetProperty("code").GetString());
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }
        foreach (string open in new[] { "/", "/health", "/ready" })
        {
            Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(open)).StatusCode);
        }
    }

    [Theory]
    [InlineData("first-key")]
    [InlineData("second-key")]
    public async Task EveryKey_LetsIn_AndNoneIsLogged(string key)
    {
        await using var server = await TestServer.StartAsync(new ServerOptions { ApiKeys = ["first-key", "second-key"] });
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        await server.GetAsync(Models);
        await server.PostAsync("/v1/completions", """{"prompt":"a secret","max_tokens":2,"ignore_eos":true}""");
        await TestServer.UntilAsync(() => server.Log.Any(line => line.Contains("2 generated tokens", StringComparison.Ordinal)), "the request is not logged");
        Assert.DoesNotContain(server.Log, line => line.Contains("-key", StringComparison.Ordinal) || line.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("localhost:80", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("192.168.0.7", false)]
    public async Task Loopback_AnswersOnlyToItsOwnNames(string host, bool answered)
    {
        await using var server = await TestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, Models);
        request.Headers.Host = host;
        using var response = await server.Http.SendAsync(request);
        if (answered)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        else
        {
            var error = await TestServer.ErrorAsync(response, HttpStatusCode.Forbidden);
            Assert.Equal("host_not_allowed", error.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Cors_IsOffUnlessConfigured()
    {
        await using var closed = await TestServer.StartAsync();
        using var refused = await closed.Http.SendAsync(Preflight("https://example.org"));
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);

        await using var server = await TestServer.StartAsync(new ServerOptions { CorsOrigins = ["https://example.org"], ApiKeys = ["key"] });
        using var allowed = await server.Http.SendAsync(Preflight("https://example.org"));
        Assert.Equal("https://example.org", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
        using var other = await server.Http.SendAsync(Preflight("https://evil.example"));
        Assert.False(other.Headers.Contains("Access-Control-Allow-Origin"));
        using var request = new HttpRequestMessage(HttpMethod.Get, Models);
        request.Headers.Add("Origin", "https://example.org");
        using var unauthorised = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, unauthorised.StatusCode);
        Assert.Equal("https://example.org", unauthorised.Headers.GetValues("Access-Control-Allow-Origin").Single()); // so that the page can read why
    }

    [Theory]
    [InlineData("https://example.org/")]
    [InlineData("example.org")]
    [InlineData("ftp://example.org")]
    public void CorsOrigin_ThatIsNone_IsRefused(string origin)
    {
        var failure = Assert.Throws<ArgumentException>(() => LatentMoEServer.Build(TestPackage.Model, new ServerOptions { CorsOrigins = [origin] }));
        Assert.Contains(origin, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_IsServedWithAPolicyAndATag()
    {
        await using var server = await TestServer.StartAsync();
        using var page = await server.Http.GetAsync("/");
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("default-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        using var again = new HttpRequestMessage(HttpMethod.Get, "/index.html");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await server.Http.SendAsync(again)).StatusCode);
        using var head = await server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"));
        Assert.Equal(page.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
    }

    private static HttpRequestMessage Preflight(string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return request;
    }
}
