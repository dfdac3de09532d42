using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Lets requests in that bring a key. Keys are kept as hashes, and how long a comparison takes tells nothing about them.</summary>
internal sealed class ApiKeys(IEnumerable<string> keys)
{
    private const string Scheme = "Bearer ";

    private readonly byte[][] _hashes = [.. keys.Select(Hash)];

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (_hashes.Length == 0 || context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null || IsKnown(context.Request.Headers.Authorization.ToString()))
        {
            return next(context);
        }
        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw ApiException.Invalid("No valid API key was given; expected the header Authorization: Bearer KEY.", status: 401, code: "invalid_api_key");
    }

    private bool IsKnown(string header)
    {
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        byte[] given = Hash(header[Scheme.Length..].Trim());
        bool known = false;
        foreach (byte[] hash in _hashes)
        {
            known |= CryptographicOperations.FixedTimeEquals(hash, given);
        }
        return known;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}

/// <summary>Marks an endpoint that needs no key.</summary>
internal sealed class OpenToAll
{
    public static OpenToAll Instance { get; } = new();
}
