using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Takes every request through the gate, except those that ask how the server is.</summary>
internal sealed class DrainMiddleware(DrainGate gate, ServerOptions options)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (gate.Draining)
        {
            context.Response.Headers.Connection = "close";
        }
        if (context.GetEndpoint()?.Metadata.GetMetadata<AnswersWhileDraining>() is not null)
        {
            await next(context);
            return;
        }
        if (!gate.TryEnter())
        {
            context.Response.Headers.Connection = "close";
            throw ApiException.Draining(options.DrainTimeout);
        }
        try
        {
            await next(context);
        }
        finally
        {
            gate.Leave();
        }
    }
}

/// <summary>Marks an endpoint that tells how the server is.</summary>
internal sealed class AnswersWhileDraining
{
    public static AnswersWhileDraining Instance { get; } = new();
}
