using Microsoft.Extensions.Hosting;

namespace LatentMoE.Server.Internals.Http;

/// <summary>Drains before the listener closes, so that whoever comes meanwhile is told so rather than refused a connection.</summary>
internal sealed class DrainService(DrainGate gate, ServerOptions options) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => gate.DrainAsync(options.DrainTimeout, cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
