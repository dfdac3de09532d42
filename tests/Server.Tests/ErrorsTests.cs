using System.Net;
using System.Text;
using LatentMoE.Runtime;

namespace LatentMoE.Server.Tests;

[Collection(nameof(TestPackage))]
public class ErrorsTests
{
    private const string Completions = "/v1/completions", Chat = "/v1/chat/completions";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";

    public static TheoryData<string, string, string?, string> BadRequests { get; } = new()
    {
        { Completions, "{", null, "line 1, byte 2" },
        { Completions, "{\n\"prompt\": \"a\", x}", null, "line 2, byte" },
        { Completions, "[]", null, "an object" },
        { Completions, "{}", "prompt", "missing" },
        { Completions, """{"prompt":{}}""", "prompt", "an object" },
        { Completions, """{"prompt":[]}""", "prompt", "a list" },
        { Completions, """{"prompt":[[]]}""", null, "no tokens" },
        { Completions, """{"prompt":["a",3]}""", "prompt", "expected a string" },
        { Completions, """{"prompt":[1,-3]}""", "prompt", "-3" },
        { Completions, """{"prompt":[1,2.5]}""", "prompt", "2.5" },
        { Completions, """{"prompt":[1,99999]}""", "prompt", "99999" },
        { Completions, """{"prompt":[5,2147483647],"echo":true}""", "prompt", "2147483647" },
        { Completions, "{\"prompt\":\"a\",\"logit_bias\":{" + string.Join(',', Enumerable.Range(0, 272).Select(id => $"\"{id}\":-100")) + "}}", null, "no token can be chosen" },
        { Chat, "{" + Messages + ",\"modalities\":[\"\\ud800\"]}", "modalities", "surrogate" },
        { Completions, "{\"prompt\":\"\\ud800\"}", "prompt", "surrogate" },
        { Completions, """{"prompt":"a","max_tokens":0}""", "max_tokens", "at least 1" },
        { Completions, """{"prompt":"a","max_tokens":"many"}""", "max_tokens", "a string" },
        { Completions, """{"prompt":"a","max_tokens":1e20}""", "max_tokens", "1e20" },
        { Completions, """{"prompt":"a","temperature":2.5}""", "temperature", "from 0 to 2" },
        { Completions, """{"prompt":"a","temperature":1e999}""", "temperature", "1e999" },
        { Completions, """{"prompt":"a","top_p":0}""", "top_p", "above 0" },
        { Completions, """{"prompt":"a","top_p":1e-60}""", "top_p", "above 0" },
        { Completions, """{"prompt":"a","top_k":-2}""", "top_k", "-2" },
        { Completions, """{"prompt":"a","min_p":2}""", "min_p", "from 0 to 1" },
        { Completions, """{"prompt":"a","typical_p":0}""", "typical_p", "above 0" },
        { Completions, """{"prompt":"a","repetition_penalty":0}""", "repetition_penalty", "above 0" },
        { Completions, """{"prompt":"a","presence_penalty":3}""", "presence_penalty", "from -2 to 2" },
        { Completions, """{"prompt":"a","frequency_penalty":-3}""", "frequency_penalty", "from -2 to 2" },
        { Completions, """{"prompt":"a","n":0}""", "n", "at least 1" },
        { Completions, """{"prompt":"a","n":17}""", "n", "16" },
        { Completions, """{"prompt":["a","a","a"],"n":6}""", "n", "16" },
        { Completions, """{"prompt":"a","n":2,"best_of":3}""", "best_of", "expected n (2)" },
        { Completions, """{"prompt":"a","suffix":"b"}""", "suffix", "not supported" },
        { Completions, """{"prompt":"a","logprobs":21}""", "logprobs", "from 0 to 20" },
        { Completions, """{"prompt":"a","logprobs":true}""", "logprobs", "true" },
        { Completions, """{"prompt":"a","logprobs":1,"echo":true}""", "echo", "not supported" },
        { Completions, """{"prompt":"a","stop":[""]}""", "stop", "empty" },
        { Completions, """{"prompt":"a","stop":7}""", "stop", "expected a string" },
        { Completions, """{"prompt":"a","stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]}""", "stop", "16" },
        { Completions, """{"prompt":"a","stop_token_ids":[272]}""", "stop_token_ids", "below 272" },
        { Completions, """{"prompt":"a","logit_bias":{"x":1}}""", "logit_bias", "token ids" },
        { Completions, """{"prompt":"a","logit_bias":{"1":101}}""", "logit_bias", "from -100 to 100" },
        { Completions, """{"prompt":"a","logit_bias":{"272":1}}""", "logit_bias", "below 272" },
        { Completions, """{"prompt":"a","logit_bias":[1]}""", "logit_bias", "an object" },
        { Completions, """{"prompt":"a","seed":1.5}""", "seed", "64 bits" },
        { Completions, """{"prompt":"a","stream":1}""", "stream", "true or false" },
        { Completions, """{"prompt":"a","stream_options":{"include_usage":true}}""", "stream_options", "stream" },
        { Completions, """{"prompt":"a","response_format":"json"}""", "response_format", "an object" },
        { Completions, """{"prompt":"a","response_format":{"type":"xml"}}""", "response_format.type", "json_schema" },
        { Completions, """{"prompt":"a","response_format":{"type":"json_schema"}}""", "response_format.json_schema", "missing" },
        { Completions, """{"prompt":"a","response_format":{"type":"json_schema","json_schema":{"name":"x"}}}""", "response_format.json_schema.schema", "missing" },
        { Chat, "{}", "messages", "missing" },
        { Chat, """{"messages":[]}""", "messages", "at least one" },
        { Chat, """{"messages":["hello"]}""", "messages[0]", "an object" },
        { Chat, """{"messages":[{"content":"a"}]}""", "messages[0].role", "missing" },
        { Chat, """{"messages":[{"role":"tool","content":"a"}]}""", "messages[0].role", "assistant" },
        { Chat, """{"messages":[{"role":"user"}]}""", "messages[0].content", "missing" },
        { Chat, """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}""", "messages[0].content[0].type", "image_url" },
        { Chat, "{" + Messages + ""","tools":[{"type":"function"}]}""", "tools", "not supported" },
        { Chat, "{" + Messages + ""","functions":[{"name":"f"}]}""", "functions", "not supported" },
        { Chat, "{" + Messages + ""","modalities":["audio"]}""", "modalities", "text" },
        { Chat, "{" + Messages + ""","top_logprobs":3}""", "top_logprobs", "logprobs" },
        { Chat, "{" + Messages + ""","logprobs":3}""", "logprobs", "true or false" },
        { Chat, "{" + Messages + ""","max_completion_tokens":-1}""", "max_completion_tokens", "at least 1" },
        { "/tokenize", "{}", "content", "missing" },
        { "/tokenize", """{"content":3}""", "content", "expected a string" },
        { "/detokenize", """{"tokens":[272]}""", "tokens", "below 272" },
        { "/detokenize", """{"tokens":"a"}""", "tokens", "token ids" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task BadRequest_IsRefusedByName(string path, string body, string? param, string problem)
    {
        var server = await TestServer.SharedAsync();
        using var response = await server.SendAsync(path, body);
        var error = await TestServer.ErrorAsync(response, HttpStatusCode.BadRequest);
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.Contains(problem, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/v1/models", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", Completions, HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/v1/embeddings", HttpStatusCode.NotFound)]
    [InlineData("GET", "/../../etc/passwd", HttpStatusCode.NotFound)]
    [InlineData("GET", "/v1/models/other", HttpStatusCode.NotFound)]
    public async Task WrongRoute_IsJsonToo(string method, string path, HttpStatusCode status)
    {
        var server = await TestServer.SharedAsync();
        using var response = await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        await TestServer.ErrorAsync(response, status);
    }

    [Fact]
    public async Task UnknownModel_Is404()
    {
        var server = await TestServer.SharedAsync();
        var error = await TestServer.ErrorAsync(await server.SendAsync(Completions, """{"model":"gpt-4","prompt":"a"}"""), HttpStatusCode.NotFound);
        Assert.Equal("model_not_found", error.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task OtherContentType_Is415(string type)
    {
        var server = await TestServer.SharedAsync();
        await TestServer.ErrorAsync(await server.SendAsync(Completions, """{"prompt":"a"}""", type), HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task WithoutTemplate_ChatIsRefused()
    {
        using var model = TestPackage.LoadWithoutTemplate();
        await using var server = await TestServer.StartAsync(model: model);
        var error = await TestServer.ErrorAsync(await server.SendAsync(Chat, "{" + Messages + "}"), HttpStatusCode.BadRequest);
        Assert.False((await server.GetAsync("/v1/models")).GetProperty("data")[0].GetProperty("chat").GetBoolean());
        Assert.Equal("no_chat_template", error.GetProperty("code").GetString());
        Assert.Contains("--chat-template", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FieldsOfOtherServers_AreIgnored()
    {
        var server = await TestServer.SharedAsync();
        await server.PostAsync(Chat, "{" + Messages + ""","max_tokens":1,"store":true,"metadata":{"a":"b"},"service_tier":"auto","parallel_tool_calls":true,"user":"u","tools":[],"tool_choice":"none","seed":-1,"stop":null}""");
    }

    [Fact]
    public async Task DamagedBodies_NeverFailTheServer()
    {
        var server = await TestServer.SharedAsync();
        byte[] whole = Encoding.UTF8.GetBytes("{" + Messages + ""","max_tokens":1,"stop":["é","\ud83d\ude00"],"logit_bias":{"3":-1.5},"seed":5,"logprobs":true,"response_format":{"type":"text"}}""");
        var random = new Random(11);
        for (int i = 0; i < 400; i++)
        {
            byte[] body = [.. whole];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                body[random.Next(body.Length)] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)"{}[],:\"\\"[random.Next(8)], _ => (byte)"0123456789ut"[random.Next(12)] };
            }
            using var content = new ByteArrayContent(body, 0, i % 4 == 0 ? random.Next(body.Length) : body.Length);
            content.Headers.ContentType = new("application/json");
            using var response = await server.Http.PostAsync(Chat, content);
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.NotFound,
                $"{response.StatusCode} {Encoding.UTF8.GetString(body)} {await response.Content.ReadAsStringAsync()}");
        }
        await server.IdleAsync();
        Assert.DoesNotContain(server.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
    }
}
