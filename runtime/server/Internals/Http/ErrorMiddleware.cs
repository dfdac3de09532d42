using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Every failure leaves as OpenAI's error object, those of routing and of reading the request too.</summary>
internal sealed partial class ErrorMiddleware(ILogger<ErrorMiddleware> logger)
{
    /// <summary>The status that the log shows for a client that went away (nginx's number).</summary>
    public const int ClientClosed = 499;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && Unexplained(context) is { } failure)
            {
                await JsonAnswer.WriteAsync(context, failure);
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = ClientClosed;
            }
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            if (Failures.IsServerFault(failure))
            {
                LogFailure(failure);
            }
            await JsonAnswer.WriteAsync(context, Failures.Describe(failure));
        }
    }

    // Routing answers with a bare status.
    private static ApiException? Unexplained(HttpContext context) => context.Response.StatusCode switch
    {
        404 => ApiException.Invalid($"There is no {context.Request.Path}.", status: 404, code: "not_found"),
        405 => ApiException.Invalid(
            $"{context.Request.Path} does not take {context.Request.Method}; expected {context.Response.Headers.Allow}.", status: 405, code: "method_not_allowed"),
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "A request failed")]
    private partial void LogFailure(Exception failure);
}
