using System.Net;
using LatentMoE.Runtime;

namespace LatentMoE.Server;

/// <summary>Where the server listens, whom it answers, and how much a request may ask for.</summary>
public sealed record ServerOptions
{
    /// <summary>An address, <c>localhost</c>, or <c>*</c> for every address of the machine. Only a loopback address is safe without keys.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Keys of which a request must bring one (<c>Authorization: Bearer …</c>); none lets everybody in.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Origins (<c>https://example.org</c>) whose pages may call the server from a browser; <c>*</c> is any. None by default.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>The model's name in requests and answers; null is that of the package's folder.</summary>
    public string? ModelName { get; init; }

    /// <summary>How requests share the model.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>A chat template (Jinja) in place of the package's own.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Bytes of a request at most.</summary>
    public long MaxBodyBytes { get; init; } = 4 << 20;

    /// <summary>Tokens of a prompt at most; null is what the context leaves.</summary>
    public int? MaxPromptTokens { get; init; }

    /// <summary>Generated tokens of an answer at most, and those of a chat answer that names no number; null is what the context leaves.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Answers of a request at most: prompts times n.</summary>
    public int MaxChoices { get; init; } = 16;

    /// <summary>From a request's arrival to its end; then it is broken off.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long answers under way may go on after the server was told to stop.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <exception cref="ArgumentException">A value is out of its range; the message gives value and range.</exception>
    internal void Validate()
    {
        Require(Host is "localhost" or "*" || IPAddress.TryParse(Host, out _), nameof(Host), Host, "an address, localhost or *");
        Require(Port is >= 0 and <= 65535, nameof(Port), Port, "0 (any free one) to 65535");
        Require(ApiKeys.All(key => key.Length > 0 && key.All(c => c is > ' ' and < '\x7f')), nameof(ApiKeys), "empty or with other characters",
            "keys of printable ASCII characters without spaces");
        string? origin = CorsOrigins.FirstOrDefault(o => o != "*" && !IsOrigin(o));
        Require(origin is null, nameof(CorsOrigins), origin, "origins such as https://example.org, or *");
        Require(ModelName is null or { Length: > 0 }, nameof(ModelName), "empty", "null or a name");
        Require(MaxBodyBytes > 0, nameof(MaxBodyBytes), MaxBodyBytes, "at least 1");
        Require(MaxPromptTokens is null or > 0, nameof(MaxPromptTokens), MaxPromptTokens, "null or at least 1");
        Require(MaxNewTokens is null or > 0, nameof(MaxNewTokens), MaxNewTokens, "null or at least 1");
        Require(MaxChoices > 0, nameof(MaxChoices), MaxChoices, "at least 1");
        Require(IsWait(RequestTimeout), nameof(RequestTimeout), RequestTimeout, "more than 0 and at most 24 days");
        Require(DrainTimeout == TimeSpan.Zero || IsWait(DrainTimeout), nameof(DrainTimeout), DrainTimeout, "0 to 24 days");
    }

    // Timers take no more than 2^31 ms.
    private static bool IsWait(TimeSpan time) => time > TimeSpan.Zero && time <= TimeSpan.FromDays(24);

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority) == text;

    private static void Require(bool ok, string name, object? value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"{name} is {value}; expected {range}.");
        }
    }
}
