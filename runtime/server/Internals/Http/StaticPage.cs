using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LatentMoE.Server.Internals.Http;

/// <summary>The files of wwwroot, carried in the assembly. They load nothing from elsewhere, and browsers are told to see to it.</summary>
internal static class StaticPage
{
    private const string Root = "wwwroot/", Index = "index.html";
    private const string Policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var assembly = typeof(StaticPage).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Root, StringComparison.Ordinal)))
        {
            string path = name[Root.Length..];
            var file = new PageFile(Read(assembly, name), ContentType(path));
            Map(routes, "/" + path, file);
            if (path == Index)
            {
                Map(routes, "/", file);
            }
        }
    }

    private static void Map(IEndpointRouteBuilder routes, string pattern, PageFile file) =>
        routes.MapMethods(pattern, ["GET", "HEAD"], file.ServeAsync).WithMetadata(OpenToAll.Instance);

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    private static string ContentType(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" or ".mjs" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".ico" => "image/x-icon",
        ".json" or ".webmanifest" => "application/json",
        ".woff2" => "font/woff2",
        _ => "application/octet-stream",
    };

    private sealed class PageFile(byte[] content, string type)
    {
        private readonly string _tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"";

        public async Task ServeAsync(HttpContext context)
        {
            var headers = context.Response.Headers;
            (headers.ETag, headers.CacheControl, headers.ContentSecurityPolicy) = (_tag, "no-cache", Policy);
            headers["Referrer-Policy"] = "no-referrer";
            if (context.Request.Headers.IfNoneMatch.Any(tags => tags is not null && (tags.Contains(_tag, StringComparison.Ordinal) || tags == "*")))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
            (context.Response.ContentType, context.Response.ContentLength) = (type, content.Length);
            if (HttpMethods.IsGet(context.Request.Method))
            {
                await context.Response.Body.WriteAsync(content, context.RequestAborted);
            }
        }
    }
}
