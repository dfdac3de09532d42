using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Reads a request's JSON object.</summary>
internal static class JsonBody
{
    /// <exception cref="ApiException">It is not declared as JSON, or is none; the message says where.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType() || !IsUtf8(request.ContentType!))
        {
            throw ApiException.Invalid($"The content type is \"{request.ContentType}\"; expected application/json in UTF-8.", status: 415, code: "unsupported_media_type");
        }
        try
        {
            var document = await JsonDocument.ParseAsync(request.Body, cancellationToken: cancellationToken);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }
            document.Dispose();
            throw ApiException.Invalid("The body is JSON, but not an object; expected {…}.");
        }
        catch (JsonException e)
        {
            string problem = e.Message.Split(" LineNumber:")[0];
            throw ApiException.Invalid($"The body is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {problem}", code: "invalid_json");
        }
    }

    private static bool IsUtf8(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.CharSet?.Trim('"') is null or "" or "utf-8" or "UTF-8";
}
