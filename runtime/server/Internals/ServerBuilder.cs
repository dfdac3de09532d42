using System.Net;
using LatentMoE.Runtime;
using LatentMoE.Server.Internals.Answers;
using LatentMoE.Server.Internals.Endpoints;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Metrics;
using LatentMoE.Server.Internals.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace LatentMoE.Server.Internals;

/// <summary>Puts the server together. It reads no environment variables and no settings files: what it does is in its options.</summary>
internal static class ServerBuilder
{
    // For what the host does after draining.
    private static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(15);

    public static WebApplication Build(LanguageModel model, ServerOptions options, Action<WebApplicationBuilder>? configure)
    {
        options.Validate();
        var template = options.ChatTemplate is { } text ? model.CreateChatTemplate(text) : model.ChatTemplate;
        var served = new ServedModel(model, options.ModelName ?? model.Name, template);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options));
        AddServices(builder.Services, served, options);
        Log(builder.Logging);
        configure?.Invoke(builder);
        var app = builder.Build();
        UseMiddleware(app, options);
        MapEndpoints(app, served, options);
        return app;
    }

    private static void AddServices(IServiceCollection services, ServedModel served, ServerOptions options)
    {
        services.AddRoutingCore();
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. options.CorsOrigins]).WithMethods("GET", "POST").AllowAnyHeader().WithExposedHeaders("Retry-After")));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + Shutdown);
        services.AddHostedService<DrainService>();
        services.AddSingleton(options);
        services.AddSingleton(served);
        services.AddSingleton(provider => new InferenceEngine(
            served.Model, options.Engine, provider.GetRequiredService<ILogger<InferenceEngine>>())); // by a function, so that the container disposes of it
        services.AddSingleton<DrainGate>();
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton(provider => Collector(provider.GetRequiredService<ServerMetrics>()));
        services.AddSingleton<GenerationHandler>();
    }

    // The engine's gen_ai.* count answers; the server's, which count requests, stand for them here.
    private static PrometheusCollector Collector(ServerMetrics server) => new(instrument => instrument.Meter == server.Meter
        || (instrument.Meter.Name == "LatentMoE.Runtime" && !instrument.Name.StartsWith("gen_ai.", StringComparison.Ordinal)));

    private static void Log(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-dd HH:mm:ss ", true));
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddFilter("Microsoft", LogLevel.Warning);
    }

    // The outermost first.
    private static void UseMiddleware(WebApplication app, ServerOptions options)
    {
        app.Use(ActivatorUtilities.CreateInstance<RequestLog>(app.Services).InvokeAsync);
        app.Use(ActivatorUtilities.CreateInstance<ErrorMiddleware>(app.Services).InvokeAsync);
        app.Use((HttpContext context, RequestDelegate next) =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        app.Use(new HostGuard(IsLoopback(options.Host)).InvokeAsync);
        if (options.CorsOrigins.Count > 0)
        {
            app.UseCors();
        }
        app.Use(new ApiKeys(options.ApiKeys).InvokeAsync);
        app.Use(ActivatorUtilities.CreateInstance<DrainMiddleware>(app.Services).InvokeAsync);
    }

    private static void MapEndpoints(WebApplication app, ServedModel served, ServerOptions options)
    {
        var handler = app.Services.GetRequiredService<GenerationHandler>();
        var (completions, chat) = (new CompletionReader(served, options), new ChatReader(served, options));
        app.MapPost("/v1/completions", context => handler.RunAsync(context, "text_completion", completions.Read));
        app.MapPost("/v1/chat/completions", context => handler.RunAsync(context, "chat", chat.Read));
        ModelEndpoints.Map(app, served);
        TokenEndpoints.Map(app, served);
        HealthEndpoints.Map(app, app.Services.GetRequiredService<DrainGate>(), app.Services.GetRequiredService<PrometheusCollector>());
        StaticPage.Map(app);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        switch (options.Host)
        {
            case "*":
                kestrel.ListenAnyIP(options.Port);
                break;
            case "localhost":
                kestrel.Listen(IPAddress.Loopback, options.Port);
                break;
            default:
                kestrel.Listen(IPAddress.Parse(options.Host), options.Port);
                break;
        }
    }

    private static bool IsLoopback(string host) => host is "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
