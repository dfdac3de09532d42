using System.Diagnostics;
using LatentMoE.Runtime.Internals.Generation;
using Microsoft.Extensions.Logging;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// The loop that serves: on a thread of its own it lets requests into rows, reads prompts in parts, and advances all answers by one step, over
/// and over. Rows, decoder and prefix cache belong to that thread; other threads meet it at the queue only.
/// </summary>
internal sealed partial class Scheduler : IDisposable
{
    private readonly BatchDecoder _decoder;
    private readonly PrefixCache _prefixes;
    private readonly RequestQueue _queue;
    private readonly EngineCounters _counters;
    private readonly EngineOptions _options;
    private readonly RequestRules _rules;
    private readonly ILogger _logger;
    private readonly EngineRequest?[] _rows;
    private readonly RowTokens[] _plan;
    private readonly Thread _thread;
    private volatile bool _stopping;

    public Scheduler(
        BatchDecoder decoder, PrefixCache prefixes, RequestQueue queue, EngineCounters counters, EngineOptions options, RequestRules rules, ILogger logger)
    {
        (_decoder, _prefixes, _queue, _counters, _options, _rules, _logger) = (decoder, prefixes, queue, counters, options, rules, logger);
        _rows = new EngineRequest?[decoder.Cache.Rows];
        _plan = new RowTokens[_rows.Length];
        _thread = new Thread(Loop) { IsBackground = true, Name = "LatentMoE engine" };
        _thread.Start();
    }

    /// <summary>Breaks off what runs and waits, and ends the thread.</summary>
    public void Dispose()
    {
        _stopping = true;
        _queue.Wake();
        _thread.Join();
    }

    private void Loop()
    {
        while (!_stopping)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                RemoveCancelled();
                Admit();
                if (Array.TrueForAll(_rows, request => request is null))
                {
                    _queue.Wait();
                    continue;
                }
                ReadPrompts();
                Step();
            }
            catch (Exception e) // of a run: what stands in the rows is lost, the engine goes on
            {
                Report(e);
                LeaveAll(() => e);
            }
            _counters.Busy(started);
        }
        LeaveAll(Gone);
        _queue.FailAll(Gone).ForEach(request => Ended(request, Gone()));

        static Exception Gone() => new ObjectDisposedException(nameof(InferenceEngine), "The engine was disposed of before the answer was whole.");
    }

    private void RemoveCancelled()
    {
        for (int row = 0; row < _rows.Length; row++)
        {
            if (_rows[row] is { Cancelled: true })
            {
                Leave(row, new OperationCanceledException());
            }
        }
        _queue.RemoveCancelled().ForEach(request => Ended(request, new OperationCanceledException()));
    }

    // In order of arrival: the first that does not fit holds up those behind it, so that it is not passed over for ever.
    private void Admit()
    {
        for (int row = Array.IndexOf(_rows, null); row >= 0 && _queue.TryTake(out var request); row = Array.IndexOf(_rows, null))
        {
            _rows[row] = request;
            try
            {
                request.Join(_rules);
            }
            catch (Exception e)
            {
                Leave(row, e);
            }
        }
    }

    private void EndFinished()
    {
        for (int row = 0; row < _rows.Length; row++)
        {
            if (_rows[row] is { } request && (request.Finish is not null || request.Failure is not null))
            {
                Leave(row, request.Failure);
            }
        }
    }

    private void LeaveAll(Func<Exception> failure)
    {
        for (int row = 0; row < _rows.Length; row++)
        {
            if (_rows[row] is { } request)
            {
                request.Computed = 0; // what a broken run left must not be kept
                Leave(row, failure());
            }
        }
    }

    // Whatever fails on the way, the request's reader hears of its end and its memory is free.
    private void Leave(int row, Exception? failure)
    {
        var request = _rows[row]!;
        _rows[row] = null;
        try
        {
            if (_decoder.Cache.Movable)
            {
                _prefixes.Keep(request.Tokens[..request.Computed], row);
                _decoder.Cache.Release(row);
                _counters.Holds(_prefixes.Bytes);
            }
        }
        catch (Exception e)
        {
            Report(e);
        }
        finally
        {
            _queue.Leave(request);
            request.Complete(failure);
        }
        Ended(request, failure);
    }

    // Those who listen to metrics run here, and their mistakes must not end the engine.
    private void Ended(EngineRequest request, Exception? failure)
    {
        try
        {
            _counters.Ended(request, failure);
        }
        catch (Exception e)
        {
            Report(e);
        }
    }

    private void Report(Exception failure)
    {
        try
        {
            RunFailed(_logger, failure);
        }
        catch (AggregateException) // of loggers: there is nobody left to tell
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Serving failed; where it was a run of the model, the requests in it are broken off")]
    private static partial void RunFailed(ILogger logger, Exception e);
}
