using System.Text;
using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Metrics;
using LatentMoE.Server.Internals.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LatentMoE.Server.Internals.Endpoints;

/// <summary>How the server is: alive, ready for requests, and in numbers.</summary>
internal static class HealthEndpoints
{
    private static readonly string[] Reading = ["GET", "HEAD"];

    public static void Map(IEndpointRouteBuilder routes, DrainGate gate, PrometheusCollector metrics)
    {
        routes.MapMethods("/health", Reading, context => JsonAnswer.WriteAsync(context, new ServerHealth("ok")))
            .WithMetadata(OpenToAll.Instance, AnswersWhileDraining.Instance);
        routes.MapMethods("/ready", Reading, context => JsonAnswer.WriteAsync(context, new ServerHealth(gate.Draining ? "draining" : "ready"), gate.Draining ? 503 : 200))
            .WithMetadata(OpenToAll.Instance, AnswersWhileDraining.Instance);
        routes.MapMethods("/metrics", Reading, context => WriteAsync(context, metrics.Scrape()))
            .WithMetadata(AnswersWhileDraining.Instance);
    }

    private static async Task WriteAsync(HttpContext context, string text)
    {
        context.Response.ContentType = PrometheusCollector.ContentType;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
    }
}
