using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using LatentMoE.Runtime;
using LatentMoE.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using static LatentMoE.Cli.ModelArguments;

namespace LatentMoE.Cli;

/// <summary><c>latentmoe serve</c>: an OpenAI-compatible server, until Ctrl-C or SIGTERM; answers under way are finished first.</summary>
internal static class ServeCommand
{
    private static readonly ServerOptions Defaults = new();

    private static readonly Option<string> Host = Of("--host", "The address to listen on; * is every address of the machine.", Defaults.Host);
    private static readonly Option<int> Port = Of("--port", "The port to listen on; 0 takes a free one.", Defaults.Port);
    private static readonly Option<string[]> ApiKey =
        Of<string[]>("--api-key", "A key that requests may bring; may be given several times. Others can see it in the list of processes.");
    private static readonly Option<string?> ApiKeys = Of<string?>("--api-keys", "A file of such keys, one a line.");
    private static readonly Option<string[]> Cors =
        Of<string[]>("--cors", "An origin whose pages may call the server, e.g. https://example.org; * is any. May be given several times.");
    private static readonly Option<string?> ModelName = Of<string?>("--name", "The model's name in requests; default its folder's.");
    private static readonly Option<int> MaxRows = Of("--max-rows", "Requests that run at the same time.", Defaults.Engine.MaxRows);
    private static readonly Option<long?> CacheMemory = Bytes("--cache-memory", "Memory of the cache, e.g. 2G; default a quarter of what is there.");
    private static readonly Option<long?> PrefixCache = Bytes("--prefix-cache", "Memory for the caches of earlier prompts; 0 is off. Default 256M.");
    private static readonly Option<int> Queue = Of("--queue", "Requests that may wait.", Defaults.Engine.MaxQueue);
    private static readonly Option<int> DraftTokens =
        Of("--draft-tokens", "Tokens guessed at a step from what the text already holds; 0 is off.", Defaults.Engine.DraftTokens);
    private static readonly Option<bool> NoExperts = Of<bool>("--no-experts", "Does not keep which experts chose a token.");
    private static readonly Option<int?> MaxPromptTokens = Of<int?>("--max-prompt-tokens", "Tokens of a prompt at most.");
    private static readonly Option<int?> MaxTokens = Of<int?>("--max-tokens", "Generated tokens of an answer at most.");
    private static readonly Option<double> RequestTimeout =
        Of("--request-timeout", "Seconds that a request may take.", Defaults.RequestTimeout.TotalSeconds);
    private static readonly Option<double> DrainTimeout =
        Of("--drain-timeout", "Seconds that answers under way may go on at the end.", Defaults.DrainTimeout.TotalSeconds);
    private static readonly Option<bool> Json = Of<bool>("--json", "Prints the address and the model as one JSON object.");

    public static Command Create()
    {
        var command = new Command("serve", "Serves a package over HTTP, as OpenAI's clients expect it.")
        {
            Port, Host, ApiKey, ApiKeys, Cors, ModelName, TemplateArgument.File, MaxRows, CacheMemory, PrefixCache, Queue, DraftTokens, NoExperts,
            MaxPromptTokens, MaxTokens, RequestTimeout, DrainTimeout, Json,
        }.With(All);
        command.SetAction((arguments, _) => RunAsync(arguments));
        return command;
    }

    private static Option<long?> Bytes(string name, string description) => new(name) { Description = description, CustomParser = ByteSize.Parse };

    private static async Task<int> RunAsync(ParseResult arguments)
    {
        var options = Options(arguments);
        var log = new DeviceLog();
        using var model = Load(arguments, log);
        await using var app = LatentMoEServer.Build(
            model, options, builder => builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None));
        await StartAsync(app, options);
        string url = app.Urls.First();
        if (arguments.GetValue(Json))
        {
            JsonOutput.Print(new JsonObject
            {
                ["url"] = url,
                ["model"] = options.ModelName ?? model.Name,
                ["device"] = JsonOutput.Name(model.Device),
                ["why"] = log.Text,
                ["context_length"] = model.ContextLength,
                ["memory"] = MemoryFigures.Json(model.Memory),
            });
        }
        else
        {
            Describe(url, options, model, log).Print();
        }
        Warn(options);
        await app.WaitForShutdownAsync();
        return 0;
    }

    // What the host logs of a failure, with a stack trace, is said here in a sentence.
    private static async Task StartAsync(WebApplication app, ServerOptions options)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new IOException($"{options.Host}, port {options.Port}: cannot listen there: {e.Message.TrimEnd('.')}. "
                + $"Choose another {Port.Name} or {Host.Name}; --port 0 takes a free one.", e);
        }
    }

    private static ServerOptions Options(ParseResult arguments) => Defaults with
    {
        Host = arguments.GetValue(Host)!,
        Port = arguments.GetValue(Port),
        ApiKeys = [.. arguments.GetValue(ApiKey) ?? [], .. Keys(arguments.GetValue(ApiKeys))],
        CorsOrigins = arguments.GetValue(Cors) ?? [],
        ModelName = arguments.GetValue(ModelName),
        ChatTemplate = TemplateArgument.Text(arguments),
        MaxPromptTokens = arguments.GetValue(MaxPromptTokens),
        MaxNewTokens = arguments.GetValue(MaxTokens),
        RequestTimeout = Seconds(arguments, RequestTimeout),
        DrainTimeout = Seconds(arguments, DrainTimeout),
        Engine = Defaults.Engine with
        {
            MaxRows = arguments.GetValue(MaxRows),
            CacheBytes = arguments.GetValue(CacheMemory),
            PrefixCacheBytes = arguments.GetValue(PrefixCache) ?? Defaults.Engine.PrefixCacheBytes,
            MaxQueue = arguments.GetValue(Queue),
            DraftTokens = arguments.GetValue(DraftTokens),
            TrackExperts = !arguments.GetValue(NoExperts),
        },
    };

    private static TimeSpan Seconds(ParseResult arguments, Option<double> option)
    {
        double seconds = arguments.GetValue(option);
        return seconds is >= 0 and <= 1e6 ? TimeSpan.FromSeconds(seconds)
            : throw new ArgumentException($"{option.Name} is {seconds}; expected seconds, 0 to 1000000.");
    }

    private static IEnumerable<string> Keys(string? file)
    {
        const StringSplitOptions Lines = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        string[] keys = file is null ? [] : TextFile.Read(file, "API keys, one a line").Split('\n', Lines);
        return file is null || keys.Length > 0 ? keys
            : throw new ArgumentException($"{file}: there is no key in it; expected one a line, or leave {ApiKeys.Name} out.");
    }

    private static Figures Describe(string url, ServerOptions options, LanguageModel model, DeviceLog log)
    {
        var figures = new Figures($"{url} is open: a playground at /, OpenAI's API under /v1; Ctrl-C ends");
        figures.Add("Model", options.ModelName ?? model.Name);
        figures.Add("Device", log.Text);
        figures.Add("Context", $"{model.ContextLength:N0} tokens");
        figures.Add("Weights", $"{model.Memory.Weights:N0} bytes");
        MemoryFigures.AddCache(figures, model.Memory);
        figures.Add("Batch", $"{options.Engine.MaxRows} requests at a time, {options.Engine.MaxQueue} may wait");
        return figures;
    }

    private static void Warn(ServerOptions options)
    {
        bool local = options.Host == "localhost" || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));
        if (!local && options.ApiKeys.Count == 0)
        {
            Console.Error.WriteLine($"warning: {options.Host} can be reached from other machines, and whoever reaches it may use the model: "
                + $"give {ApiKeys.Name}, or listen on 127.0.0.1.");
        }
    }
}
