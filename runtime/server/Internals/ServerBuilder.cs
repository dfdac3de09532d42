using System.Net;
using LatentMoE.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Internals;

/// <summary>Puts the server together. It reads no environment variables and no settings files: what it does is in its options.</summary>
internal static class ServerBuilder
{
    public static WebApplication Build(LanguageModel model, ServerOptions options, Action<WebApplicationBuilder>? configure)
    {
        options.Validate();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(_ => new InferenceEngine(model, options.Engine));
        builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-dd HH:mm:ss ", true));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        configure?.Invoke(builder);
        var app = builder.Build();
        _ = app.Services.GetRequiredService<InferenceEngine>(); // its errors come now, and the container disposes of what it has made
        app.MapGet("/health", () => Results.Json(new { status = "ok" }));
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        if (options.Host is "*")
        {
            kestrel.ListenAnyIP(options.Port);
        }
        else
        {
            var address = options.Host is "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host);
            kestrel.Listen(address, options.Port);
        }
    }
}
