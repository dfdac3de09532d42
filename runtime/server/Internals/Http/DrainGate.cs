namespace LatentMoE.Server.Internals.Http;

/// <summary>Counts the requests under way; once draining it lets nobody in, and after a while breaks off those who are still there.</summary>
internal sealed class DrainGate : IDisposable
{
    // For the last words of answers that were broken off.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _brokenOff = new();
    private int _running;
    private volatile bool _draining;

    public bool Draining => _draining;

    /// <summary>Is cancelled when the time for draining is over.</summary>
    public CancellationToken BrokenOff => _brokenOff.Token;

    public bool TryEnter()
    {
        lock (_gate)
        {
            _running += _draining ? 0 : 1;
            return !_draining;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _running--;
            SetWhenEmpty();
        }
    }

    public async Task DrainAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _draining = true;
            SetWhenEmpty();
        }
        if (!await EmptiesWithin(timeout, cancellationToken))
        {
            await _brokenOff.CancelAsync();
            await EmptiesWithin(Farewell, cancellationToken);
        }
    }

    public void Dispose() => _brokenOff.Dispose();

    private async Task<bool> EmptiesWithin(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await Task.WhenAny(_empty.Task, Task.Delay(timeout, cancellationToken));
        return _empty.Task.IsCompleted;
    }

    private void SetWhenEmpty()
    {
        if (_draining && _running == 0)
        {
            _empty.TrySetResult();
        }
    }
}
