using LatentMoE.Server.Internals.Http;

namespace LatentMoE.Server.Internals.Protocol;

/// <summary>OpenAI's error object.</summary>
internal sealed record ErrorBody(ErrorDetail Error)
{
    public static ErrorBody Of(ApiException failure) => new(new ErrorDetail(failure.Message, failure.Type, failure.Param, failure.Code));
}

internal sealed record ErrorDetail(string Message, string Type, string? Param, string? Code);
