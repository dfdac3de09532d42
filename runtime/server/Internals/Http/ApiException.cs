namespace LatentMoE.Server.Internals.Http;

/// <summary>A failure as a client gets to see it: an HTTP status and OpenAI's error object.</summary>
internal sealed class ApiException(int status, string type, string message, string? param = null, string? code = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    /// <summary>The field that is wrong.</summary>
    public string? Param => param;

    public string? Code => code;

    /// <summary>When the same request may do better.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static ApiException Invalid(string message, string? param = null, string? code = null, int status = 400) =>
        new(status, "invalid_request_error", message, param, code);

    public static ApiException Draining(TimeSpan retryAfter) =>
        new(503, "server_error", "The server is stopping; send the request again later.", code: "server_stopping") { RetryAfter = retryAfter };

    public static ApiException TimedOut(TimeSpan limit) =>
        new(504, "timeout_error", $"The request took longer than {limit.TotalSeconds:0.###} s and was broken off. Ask for fewer tokens.", code: "request_timeout");
}
