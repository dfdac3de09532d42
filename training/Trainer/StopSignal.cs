using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LatentMoE.Training.Trainer;

/// <summary>Ctrl-C and SIGTERM: the first asks training to save and stop after the current step, one that comes later than a second after it ends the process at once.</summary>
public sealed class StopSignal : IDisposable
{
    private const int InterruptedExitCode = 130;

    // One Ctrl-C can arrive twice: from the terminal, and from the program that started this one and hands it on.
    private static readonly TimeSpan SameWish = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private long _first;

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
        long first = Interlocked.CompareExchange(ref _first, Stopwatch.GetTimestamp(), 0);
        if (first != 0 && Stopwatch.GetElapsedTime(first) > SameWish)
        {
            Environment.Exit(InterruptedExitCode);
        }
        context.Cancel = true;
        _source.Cancel();
    }
}
