using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Tests.Support;

namespace LatentMoE.Server.Tests.Load;

/// <summary>Requests that are nearly right, and bytes that are no requests: an answer or an error in OpenAI's shape, and the server lives on.</summary>
[Trait("Category", "Soak")]
public class HttpFuzzTests(LoadServer server) : IClassFixture<LoadServer>
{
    private static readonly string[] Paths = ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"];
    private static readonly string[] Keys =
    [
        "prompt", "messages", "max_tokens", "temperature", "top_p", "top_k", "min_p", "typical_p", "n", "stream", "stop", "logprobs", "seed", "logit_bias",
        "presence_penalty", "frequency_penalty", "repetition_penalty", "stop_token_ids", "response_format", "stream_options", "echo", "best_of", "suffix",
        "model", "experts", "tools", "tokens", "content", "top_logprobs", "max_completion_tokens", "ignore_eos", "user",
    ];

    [Fact]
    public async Task Bodies_NearlyRight_AreAnsweredOrRefusedInOpenAIsShape()
    {
        var (random, clock, time) = (new Random(11), Stopwatch.StartNew(), SoakTime.Or(4));
        int answered = 0, refused = 0;
        while (clock.Elapsed < time || answered == 0 || refused == 0)
        {
            string path = Paths[random.Next(Paths.Length)];
            string body = Body(random, path).ToJsonString();
            body = random.Next(5) == 0 ? Damage(body, random) : body;
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await server.Http.PostAsync(path, content);
            string text = await response.Content.ReadAsStringAsync();
            if (response.IsSuccessStatusCode)
            {
                answered++;
                continue;
            }
            refused++;
            Assert.True((int)response.StatusCode is >= 400 and < 500, $"{path} {body}: {response.StatusCode} {text}");
            var error = JsonNode.Parse(text)!["error"]!;
            Assert.False(string.IsNullOrEmpty((string?)error["message"]), $"{path} {body}: {text}");
            Assert.Equal("invalid_request_error", (string?)error["type"]);
        }
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Bytes_ThatAreNoRequest_DoNoHarm()
    {
        var (random, clock, time) = (new Random(12), Stopwatch.StartNew(), SoakTime.Or(2));
        byte[] good = Encoding.ASCII.GetBytes("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"prompt\":\"a\",\"max_tokens\":2,\"n\":1}");
        for (int i = 0; clock.Elapsed < time || i < 20; i++)
        {
            byte[] bytes = [.. good[..random.Next(good.Length + 1)]];
            for (int change = random.Next(4); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port);
            await socket.SendAsync(bytes);
            if (random.Next(2) == 0)
            {
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        await AssertAliveAsync();
    }

    private async Task AssertAliveAsync()
    {
        using var health = await server.Http.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        for (int i = 0; i < 500 && server.Status.Running + server.Status.Waiting > 0; i++)
        {
            await Task.Delay(20);
        }
        Assert.Equal((0, 0, 0L), (server.Status.Running, server.Status.Waiting, server.Status.CacheBytesReserved));
    }

    private static JsonObject Body(Random random, string path)
    {
        var body = path switch
        {
            "/v1/completions" => new JsonObject { ["prompt"] = "once", ["max_tokens"] = 4 },
            "/v1/chat/completions" => new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "once" }), ["max_tokens"] = 4 },
            "/tokenize" => new JsonObject { ["content"] = "once" },
            _ => new JsonObject { ["tokens"] = new JsonArray(3, 4) },
        };
        for (int change = random.Next(4); change > 0; change--)
        {
            body[Keys[random.Next(Keys.Length)]] = Value(random, 0);
        }
        return body;
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 3 ? 9 : 12) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.Next(-3, 9),
        3 => random.NextDouble() * 4 - 1,
        4 => long.MaxValue - random.Next(3),
        5 => "",
        6 => new string((char)random.Next(32, 0xD7FF), random.Next(1, 40)),
        7 => 1e300,
        8 => "json_object",
        9 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1))]),
        10 => new JsonObject { ["type"] = "json_schema", ["json_schema"] = new JsonObject { ["name"] = "a", ["schema"] = Value(random, depth + 1) } },
        _ => new JsonObject { [Keys[random.Next(Keys.Length)]] = Value(random, depth + 1), [random.Next(300).ToString()] = Value(random, depth + 1) },
    };

    private static string Damage(string text, Random random)
    {
        int at = random.Next(text.Length);
        return random.Next(3) switch
        {
            0 => text[..at],
            1 => text.Remove(at, 1),
            _ => text.Insert(at, ((char)random.Next(1, 0x250)).ToString()),
        };
    }
}
