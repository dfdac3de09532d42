using System.Diagnostics.CodeAnalysis;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>Where requests wait until a row and the memory that they may need are free, in order of arrival. Safe for use from many threads.</summary>
internal sealed class RequestQueue(int rows, int maxWaiting, long cacheBytes)
{
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(1), Latest = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly LinkedList<EngineRequest> _waiting = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AutoResetEvent _arrived = new(false);
    private double _serviceSeconds = 1;
    private long _orders;
    private int _running;
    private bool _closed;

    public long CacheBytes => cacheBytes;

    public long ReservedBytes { get; private set; }

    public bool Closed => Volatile.Read(ref _closed);

    public int Running => Volatile.Read(ref _running);

    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <exception cref="RequestTooLargeException">It would not fit alone.</exception>
    /// <exception cref="QueueFullException">As many wait as may.</exception>
    /// <exception cref="ObjectDisposedException">Nobody is let in any more.</exception>
    public void Submit(EngineRequest request)
    {
        if (request.ReservedBytes > cacheBytes)
        {
            throw new RequestTooLargeException(request.ReservedBytes, cacheBytes);
        }
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(InferenceEngine));
            if (_running + _waiting.Count >= rows + maxWaiting)
            {
                throw new QueueFullException(_waiting.Count, RetryAfter());
            }
            request.Order = _orders++;
            _waiting.AddLast(request);
        }
        _arrived.Set();
    }

    /// <summary>The first request, once its memory is free.</summary>
    public bool TryTake([NotNullWhen(true)] out EngineRequest? request)
    {
        lock (_gate)
        {
            request = _waiting.First?.Value;
            if (request is null || ReservedBytes + request.ReservedBytes > cacheBytes)
            {
                request = null;
                return false;
            }
            _waiting.RemoveFirst();
            ReservedBytes += request.ReservedBytes;
            _running++;
            return true;
        }
    }

    /// <summary>A request that was taken has ended.</summary>
    public void Leave(EngineRequest request)
    {
        lock (_gate)
        {
            ReservedBytes -= request.ReservedBytes;
            _running--;
            _serviceSeconds += 0.1 * (request.Age.TotalSeconds - _serviceSeconds);
            CompleteIfDrained();
        }
    }

    /// <summary>Those that were cancelled while they waited; they are complete.</summary>
    public List<EngineRequest> RemoveCancelled() => Remove(request => request.Cancelled, () => new OperationCanceledException());

    /// <summary>All that waited; they are complete.</summary>
    public List<EngineRequest> FailAll(Func<Exception> failure) => Remove(_ => true, failure);

    /// <summary>Lets nobody in any more; the task ends once nobody is left.</summary>
    public Task Close()
    {
        lock (_gate)
        {
            _closed = true;
            CompleteIfDrained();
        }
        return _drained.Task;
    }

    /// <summary>Waits for a request that has arrived since the last wait, or a wake-up.</summary>
    public void Wait() => _arrived.WaitOne();

    public void Wake() => _arrived.Set();

    private List<EngineRequest> Remove(Predicate<EngineRequest> which, Func<Exception> failure)
    {
        var removed = new List<EngineRequest>();
        lock (_gate)
        {
            for (var node = _waiting.First; node is not null;)
            {
                var (next, request) = (node.Next, node.Value);
                if (which(request))
                {
                    _waiting.Remove(node);
                    request.Complete(failure());
                    removed.Add(request);
                }
                node = next;
            }
            CompleteIfDrained();
        }
        return removed;
    }

    private void CompleteIfDrained()
    {
        if (_closed && _running == 0 && _waiting.Count == 0)
        {
            _drained.TrySetResult();
        }
    }

    // As long as those in front take to leave, judged by the latest ones.
    private TimeSpan RetryAfter()
    {
        var estimate = TimeSpan.FromSeconds(_serviceSeconds * (_waiting.Count + 1) / rows);
        return estimate < Soonest ? Soonest : estimate > Latest ? Latest : estimate;
    }
}
