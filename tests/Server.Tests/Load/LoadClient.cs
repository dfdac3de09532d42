using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Server.Tests.Load;

/// <summary>One client: request after request, of every kind.</summary>
internal sealed class LoadClient(LoadServer server, LoadTally tally, Random random)
{
    private static readonly (string Path, string Body)[] Nonsense =
    [
        ("/v1/completions", "{"), ("/v1/completions", "[]"), ("/v1/completions", """{"prompt":"a","temperature":-1}"""),
        ("/v1/completions", """{"prompt":"a","max_tokens":"many"}"""), ("/v1/completions", """{"prompt":"a","n":1000}"""), ("/v1/chat/completions", """{"messages":[]}"""),
        ("/v1/nothing", "{}"), ("/v1/completions", """{"model":"load","prompt":[1,2,99999]}"""),
    ];

    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                await (random.Next(10) switch
                {
                    <= 4 => GreedyAsync(),
                    5 => LeaveAsync(),
                    6 => HangUpAsync(),
                    7 => RefusedAsync(),
                    _ => DrawnAsync(),
                });
            }
            catch (Exception e)
            {
                tally.Failures.Enqueue(e.ToString());
            }
        }
    }

    private async Task GreedyAsync()
    {
        var (prompt, alone) = server.Expected[random.Next(server.Expected.Count)];
        var ids = new List<int>();
        using var response = await PostAsync(Request(prompt, stream: true));
        await foreach (var choice in Events(response))
        {
            ids.AddRange(choice["token_ids"]!.AsArray().Select(id => (int)id!));
        }
        Interlocked.Increment(ref tally.Greedy);
        if (!alone.SequenceEqual(ids))
        {
            int at = alone.Zip(ids).TakeWhile(pair => pair.First == pair.Second).Count();
            if (at < Math.Min(alone.Count, ids.Count) && IsNearTie([.. prompt, .. alone.Take(at)], alone[at], ids[at]))
            {
                Interlocked.Increment(ref tally.NearTies);
            }
            else
            {
                tally.Failures.Enqueue($"prompt [{string.Join(' ', prompt)}]: alone [{string.Join(' ', alone)}], here [{string.Join(' ', ids)}]");
            }
        }
    }

    // Goes after the first few pieces of a stream.
    private async Task LeaveAsync()
    {
        int rest = random.Next(1, 8);
        using var response = await PostAsync(Request(Any(), stream: true));
        await foreach (var _ in Events(response))
        {
            if (--rest == 0)
            {
                Interlocked.Increment(ref tally.Left);
                return;
            }
        }
    }

    // Goes at any moment, before the answer begins too.
    private async Task HangUpAsync()
    {
        using var patience = new CancellationTokenSource(random.Next(1, 60));
        try
        {
            using var content = JsonContent.Create(Request(Any(), stream: random.Next(2) == 0));
            using var response = await server.Http.PostAsync("/v1/completions", content, patience.Token);
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref tally.HungUp);
        }
    }

    private async Task RefusedAsync()
    {
        var (path, body) = Nonsense[random.Next(Nonsense.Length)];
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await server.Http.PostAsync(path, content);
        string text = await response.Content.ReadAsStringAsync();
        bool explained = JsonNode.Parse(text)?["error"]?["message"] is not null;
        if (response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.NotFound) || !explained)
        {
            tally.Failures.Enqueue($"{path} {body}: {response.StatusCode} {text}");
        }
        Interlocked.Increment(ref tally.Refused);
    }

    private async Task DrawnAsync()
    {
        var request = Request(Any(), stream: false);
        (request["temperature"], request["n"], request["top_p"], request["seed"], request["presence_penalty"]) = (1, 2, 0.9, random.Next(), 0.3);
        using var response = await PostAsync(request);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        if (answer["choices"]!.AsArray().Count != 2 || (int)answer["usage"]!["completion_tokens"]! != 2 * LoadServer.MaxTokens)
        {
            tally.Failures.Enqueue(answer.ToJsonString());
        }
        Interlocked.Increment(ref tally.Drawn);
    }

    private async Task<HttpResponseMessage> PostAsync(JsonObject body)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) };
        var response = await server.Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
        return response.IsSuccessStatusCode ? response : throw new HttpRequestException($"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    private static async IAsyncEnumerable<JsonNode> Events(HttpResponseMessage response)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line && line != "data: [DONE]")
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                var data = JsonNode.Parse(line[6..])!;
                yield return data["error"] is null ? data["choices"]![0]! : throw new JsonException(line);
            }
        }
    }

    private int[] Any() => server.Expected[random.Next(server.Expected.Count)].Prompt;

    private static JsonObject Request(int[] prompt, bool stream) => new()
    {
        ["model"] = "load", ["prompt"] = new JsonArray([.. prompt.Select(id => (JsonNode)id)]), ["max_tokens"] = LoadServer.MaxTokens,
        ["temperature"] = 0, ["ignore_eos"] = true, ["stream"] = stream, ["experts"] = true,
    };

    // Whether two tokens' logits lie within 1e-4 of the logits' range of each other.
    private bool IsNearTie(int[] tokens, int one, int other)
    {
        var session = server.Model.Pool.Rent(CancellationToken.None);
        try
        {
            session.Prefill(tokens);
            float[] logits = session.Logits.ToArray();
            return Math.Abs(logits[one] - logits[other]) <= 1e-4f * (logits.Max() - logits.Min());
        }
        finally
        {
            server.Model.Pool.Return(session);
        }
    }
}
