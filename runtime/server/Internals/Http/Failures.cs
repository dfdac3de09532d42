using LatentMoE.Runtime;
using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>What a client is told about an exception. What is nobody's fault but the server's is not described, only logged.</summary>
internal static class Failures
{
    public static ApiException Describe(Exception failure) => failure switch
    {
        ApiException api => api,
        PromptTooLongException => ApiException.Invalid(failure.Message, code: "context_length_exceeded"),
        RequestTooLargeException => ApiException.Invalid(failure.Message, code: "cache_exceeded"),
        NoTokenLeftException => ApiException.Invalid(failure.Message, code: "no_token"),
        QueueFullException full => new ApiException(429, "rate_limit_error", full.Message, code: "queue_full") { RetryAfter = full.RetryAfter },
        ObjectDisposedException => ApiException.Draining(TimeSpan.FromSeconds(5)),
        _ when failure.GetType() == typeof(ArgumentException) => ApiException.Invalid(failure.Message), // those below it tell of mistakes in the code
        NotSupportedException => new ApiException(501, "server_error", failure.Message, code: "not_supported"),
        BadHttpRequestException http => ApiException.Invalid(http.Message, status: http.StatusCode),
        _ => new ApiException(500, "server_error", "The server failed on this request; its log says more."),
    };

    /// <summary>Whether the failure says that the server, not the request, is wrong.</summary>
    public static bool IsServerFault(Exception failure) => Describe(failure).Status == 500;
}
