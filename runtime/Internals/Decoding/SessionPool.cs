namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>
/// Lends sessions of one graph, each to one generation at a time, and makes further ones when all are out, up to a limit;
/// then callers wait. The graph lives until the pool is disposed of and the last session is back.
/// </summary>
internal sealed class SessionPool : IDisposable
{
    private readonly DecoderGraph _graph;
    private readonly SemaphoreSlim _turns;
    private readonly Stack<DecoderSession> _idle = new();
    private int _lent;
    private bool _disposed;

    public SessionPool(DecoderGraph graph, int limit)
    {
        (_graph, _turns) = (graph, new SemaphoreSlim(limit, limit));
    }

    public DecoderGraph Graph => _graph;

    /// <summary>An empty session, after waiting for one where all are out.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public DecoderSession Rent(CancellationToken cancellation)
    {
        _turns.Wait(cancellation);
        return Take();
    }

    /// <inheritdoc cref="Rent"/>
    public async ValueTask<DecoderSession> RentAsync(CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation).ConfigureAwait(false);
        return Take();
    }

    public void Return(DecoderSession session)
    {
        session.Resume();
        session.Rewind(0);
        lock (_idle)
        {
            _lent--;
            _idle.Push(session);
            ReleaseIfLast();
        }
        _turns.Release();
    }

    /// <summary>Keeps the graph alive for a user of its own sessions, until <see cref="Release"/>.</summary>
    public void Hold()
    {
        lock (_idle)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(LanguageModel));
            _lent++;
        }
    }

    public void Release()
    {
        lock (_idle)
        {
            _lent--;
            ReleaseIfLast();
        }
    }

    public void Dispose()
    {
        lock (_idle)
        {
            if (!_disposed)
            {
                _disposed = true;
                ReleaseIfLast();
            }
        }
    }

    private DecoderSession Take()
    {
        try
        {
            lock (_idle)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(LanguageModel));
                var session = _idle.Count > 0 ? _idle.Pop() : new DecoderSession(_graph);
                _lent++;
                return session;
            }
        }
        catch
        {
            _turns.Release();
            throw;
        }
    }

    private void ReleaseIfLast()
    {
        if (!_disposed || _lent > 0)
        {
            return;
        }
        while (_idle.TryPop(out var session))
        {
            session.Dispose();
        }
        _graph.Dispose();
    }
}
