using System.Runtime.InteropServices;

namespace LatentMoE.Cli;

/// <summary>Ctrl-C while an answer is written stops that answer; at other times it is left to <c>idle</c>.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly PosixSignalRegistration _signal;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _answer;

    /// <param name="idle">Says whether it has dealt with the signal; otherwise the program ends.</param>
    public Interruption(Func<bool> idle) => _signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
    {
        lock (_gate)
        {
            _answer?.Cancel();
            context.Cancel = _answer is not null || idle();
        }
    });

    /// <summary>From now on the signal cancels the source, until <see cref="End"/>.</summary>
    public void Begin(CancellationTokenSource answer)
    {
        lock (_gate)
        {
            _answer = answer;
        }
    }

    public void End()
    {
        lock (_gate)
        {
            _answer = null;
        }
    }

    public void Dispose() => _signal.Dispose();
}
