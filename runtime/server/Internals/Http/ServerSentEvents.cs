using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using LatentMoE.Server.Internals.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LatentMoE.Server.Internals.Http;

/// <summary>A stream of JSON events (text/event-stream). Events leave with the next flush, and nothing on the way is asked to wait for more.</summary>
internal sealed class ServerSentEvents
{
    private readonly PipeWriter _body;

    private ServerSentEvents(PipeWriter body)
    {
        _body = body;
    }

    /// <summary>Begins an answer.</summary>
    public static ServerSentEvents Begin(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx gathers a stream otherwise
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        return Continue(context);
    }

    /// <summary>Goes on with an answer that was begun.</summary>
    public static ServerSentEvents Continue(HttpContext context) => new(context.Response.BodyWriter);

    public void Write(object value) => Write(JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ProtocolJson.Instance));

    /// <summary>OpenAI's mark that the stream ended well.</summary>
    public void WriteDone() => Write("[DONE]"u8);

    public async Task FlushAsync(CancellationToken cancellationToken) => await _body.FlushAsync(cancellationToken);

    private void Write(ReadOnlySpan<byte> data)
    {
        _body.Write("data: "u8);
        _body.Write(data);
        _body.Write("\n\n"u8);
    }
}
