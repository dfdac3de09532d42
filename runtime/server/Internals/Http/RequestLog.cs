using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Server.Internals.Http;

/// <summary>One line for each request; never what was asked or answered, and never a key.</summary>
internal sealed partial class RequestLog(ILogger logger)
{
    private const int LongestPath = 200;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        long start = Stopwatch.GetTimestamp();
        var tokens = new RequestTokens();
        context.Features.Set(tokens);
        try
        {
            await next(context);
        }
        finally
        {
            string path = context.Request.Path.ToUriComponent(); // escaped: no line breaks
            path = path.Length <= LongestPath ? path : path[..LongestPath] + "…";
            double ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (tokens.Prompt > 0)
            {
                LogGeneration(context.Request.Method, path, context.Response.StatusCode, tokens.Prompt, tokens.Generated, ms);
            }
            else
            {
                LogRequest(context.Request.Method, path, context.Response.StatusCode, ms);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} {Milliseconds:0.0} ms")]
    private partial void LogRequest(string method, string path, int status, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} {PromptTokens} prompt + {GeneratedTokens} generated tokens {Milliseconds:0.0} ms")]
    private partial void LogGeneration(string method, string path, int status, int promptTokens, int generatedTokens, double milliseconds);
}

/// <summary>Tokens that a request came with and got.</summary>
internal sealed class RequestTokens
{
    public int Prompt { get; set; }

    public int Generated { get; set; }
}
