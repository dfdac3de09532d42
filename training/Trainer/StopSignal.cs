using System.Runtime.InteropServices;

namespace LatentMoE.Training.Trainer;

/// <summary>Ctrl-C and SIGTERM: the first asks training to save and stop after the current step, the second ends the process at once.</summary>
public sealed class StopSignal : IDisposable
{
    private const int InterruptedExitCode = 130;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignal()
    {
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
        {
            Environment.Exit(InterruptedExitCode);
        }
        context.Cancel = true;
        _source.Cancel();
    }
}
