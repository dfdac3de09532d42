using Microsoft.AspNetCore.Http;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Ends a request when its client goes away, its time is up, or the server stops; and knows which it was.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _any;
    private readonly CancellationToken _client, _brokenOff;
    private readonly ServerOptions _options;

    public Deadline(HttpContext context, DrainGate gate, ServerOptions options)
    {
        (_options, _client, _brokenOff) = (options, context.RequestAborted, gate.BrokenOff);
        _timeout = new CancellationTokenSource(options.RequestTimeout);
        _any = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, _client, _brokenOff);
    }

    public CancellationToken Token => _any.Token;

    /// <summary>The failure itself, or what the cancellation that it reports means to the client.</summary>
    public Exception Explain(Exception failure) => failure switch
    {
        OperationCanceledException when _client.IsCancellationRequested => failure,
        OperationCanceledException when _brokenOff.IsCancellationRequested => ApiException.Draining(_options.DrainTimeout),
        OperationCanceledException when _timeout.IsCancellationRequested => ApiException.TimedOut(_options.RequestTimeout),
        _ => failure,
    };

    public void Dispose()
    {
        _any.Dispose();
        _timeout.Dispose();
    }
}
