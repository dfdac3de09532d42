using System.Net;
using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>
/// On a loopback address only requests that name it are answered: a foreign page whose own host name was made to point here
/// (DNS rebinding) is not.
/// </summary>
internal sealed class HostGuard(bool loopback)
{
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        string host = context.Request.Host.Host;
        return !loopback || host.Length == 0 || IsLoopback(host) ? next(context) : throw new ApiException(
            403, "invalid_request_error", "This server answers requests to localhost, 127.0.0.1 and [::1] only; the Host header names another.", code: "host_not_allowed");
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
