using System.Globalization;
using System.Text.Json;
using LatentMoE.Server.Internals.Protocol;
using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Writes whole JSON answers, errors among them.</summary>
internal static class JsonAnswer
{
    public static async Task WriteAsync(HttpContext context, object value, int status = 200)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ProtocolJson.Instance);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static Task WriteAsync(HttpContext context, ApiException failure)
    {
        if (failure.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        return WriteAsync(context, ErrorBody.Of(failure), failure.Status);
    }
}
