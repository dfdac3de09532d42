using LatentMoE.Server.Internals.Http;
using LatentMoE.Server.Internals.Protocol;
using LatentMoE.Server.Internals.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LatentMoE.Server.Internals.Endpoints;

/// <summary><c>/v1/models</c>: the one model that is served.</summary>
internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        var card = Card(served);
        routes.MapGet("/v1/models", context => JsonAnswer.WriteAsync(context, new ModelList([card])));
        routes.MapGet("/v1/models/{**id}", context => Uri.UnescapeDataString((string)context.Request.RouteValues["id"]!) == served.Name ? JsonAnswer.WriteAsync(context, card)
            : throw ApiException.Invalid($"There is no model of that name here; expected \"{served.Name}\".", "model", "model_not_found", 404));
    }

    private static ModelCard Card(ServedModel served)
    {
        var experts = served.Model.Experts is { } shape ? new RoutedExpertsCard(shape.Layers, shape.Experts, shape.TopK) : null;
        var created = new DateTimeOffset(Directory.GetLastWriteTimeUtc(served.Model.Folder), TimeSpan.Zero);
        return new ModelCard(served.Name, created.ToUnixTimeSeconds(), served.Model.ContextLength, experts, served.ChatTemplate is not null);
    }
}
