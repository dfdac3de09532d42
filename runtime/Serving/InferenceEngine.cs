using System.Runtime.CompilerServices;
using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LatentMoE.Runtime;

/// <summary>
/// Serves many requests on one model: every step advances all running answers together, requests join and leave at any step, prompts are
/// read in parts beside running answers, and what earlier requests computed is used again. What a request gets does not depend on the others.
/// Safe for use from many threads.
/// </summary>
public sealed partial class InferenceEngine : IAsyncDisposable, IDisposable
{
    private readonly DecoderGraph? _tracking;
    private readonly BatchDecoder _decoder;
    private readonly PrefixCache _prefixes;
    private readonly RequestQueue _queue;
    private readonly EngineCounters _counters;
    private readonly Scheduler _scheduler;
    private int _disposed;

    /// <param name="model">Stays the caller's; it can be disposed of before the engine, and is freed with whichever ends last.</param>
    /// <exception cref="OutOfMemoryException">The cache does not fit the memory.</exception>
    /// <exception cref="NotSupportedException">A multi-head model on a device: those are for comparison, and run with <see cref="LanguageModel"/>.</exception>
    public InferenceEngine(LanguageModel model, EngineOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new EngineOptions();
        options.Validate();
        Model = model;
        var graph = model.Pool.Graph;
        if (graph.Device == Device.Cuda && graph.KeyValueHeads > 1)
        {
            throw new NotSupportedException("A multi-head model cannot be served in batches on CUDA; use Device.Cpu, or LanguageModel alone.");
        }
        model.Pool.Hold();
        try
        {
            IReadOnlyList<string> routers = [];
            if (options.TrackExperts && model.Experts is not null)
            {
                (_tracking, routers) = model.OpenTracking();
                graph = _tracking;
            }
            long rowBytes = 2L * graph.Layers * graph.CacheHalfBytes, budget = options.CacheBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
            int rows = graph.Device == Device.Cuda ? RowsOnDevice(budget, rowBytes, graph.CacheHalfBytes, options.MaxRows) : options.MaxRows;
            int step = Scheduler.MaxStepTokens(rows, options);
            int tokens = Math.Max(step, (int)Math.Min(options.PrefillTokensPerStep, (long)rows * graph.ContextLength));
            var experts = _tracking is null ? null : new ExpertOutputs(routers, model.Experts!.TopK, tokens);
            _decoder = new BatchDecoder(graph, rows, tokens, step, experts);
            _prefixes = new PrefixCache(_decoder.Cache, options.PrefixCacheBytes);
            _queue = new RequestQueue(rows, options.MaxQueue, Math.Min(budget, rows * rowBytes));
            _counters = new EngineCounters(model.Name);
            var rules = new RequestRules(graph.Vocabulary, graph.ContextLength, model.Package.Config.EndTokens, own => own.Grammar?.Begin(model.Vocabulary));
            _scheduler = new Scheduler(_decoder, _prefixes, _queue, _counters, options, rules, logger ?? NullLogger.Instance);
        }
        catch
        {
            _counters?.Dispose();
            _prefixes?.Dispose();
            _decoder?.Dispose();
            _tracking?.Dispose();
            model.Pool.Release();
            throw;
        }
    }

    public LanguageModel Model { get; }

    /// <summary>What the engine is doing now.</summary>
    public EngineStatus Status => _counters.Status(_queue, _decoder.Cache.Rows);

    /// <summary>Continues a prompt, piece by piece. Leaving the loop early, or cancelling, frees the request's row before the next step.</summary>
    /// <exception cref="PromptTooLongException">The prompt does not fit the context.</exception>
    /// <exception cref="RequestTooLargeException">Prompt and answer cannot fit the cache.</exception>
    /// <exception cref="QueueFullException">Too many requests wait.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the prompt has no tokens.</exception>
    /// <exception cref="ObjectDisposedException">The engine is draining or gone.</exception>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Stream(Model.Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>Continues a prompt of token ids, to which nothing is prepended.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        return Stream(Model.Prepare(prompt, options), options, cancellationToken);
    }

    /// <summary>Lets nobody in any more and waits for the requests under way; cancellation stops the waiting, <see cref="Dispose"/> breaks them off.</summary>
    public Task DrainAsync(CancellationToken cancellationToken = default) => _queue.Close().WaitAsync(cancellationToken);

    /// <summary>Breaks off what runs and frees the cache.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _queue.Close();
            _scheduler.Dispose();
            _prefixes.Dispose();
            _decoder.Dispose();
            _tracking?.Dispose();
            _counters.Dispose();
            Model.Pool.Release();
        }
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    // Device memory is taken at once, in one piece for each half of a layer.
    private static int RowsOnDevice(long budget, long rowBytes, long halfBytes, int most) =>
        (int)Math.Clamp(Math.Min(budget / rowBytes, uint.MaxValue / halfBytes), 1, most);

    private async IAsyncEnumerable<GeneratedPiece> Stream(int[] prompt, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int longest = (int)Math.Min((long)prompt.Length + options.MaxNewTokens, Model.ContextLength);
        // The standard operators of a package without the operator library write every bound row as a whole.
        longest = Model.UsesLibrary ? longest : Model.ContextLength;
        var request = new EngineRequest(prompt, options, Model.TokenBytes) { ReservedBytes = longest * _decoder.Cache.BytesPerToken };
        _queue.Submit(request);
        using var registration = cancellationToken.UnsafeRegister(static r => ((EngineRequest)r!).Cancel(), request);
        try
        {
            while (await request.Pieces.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (request.Pieces.TryRead(out var piece))
                {
                    yield return piece;
                }
            }
        }
        finally
        {
            request.Cancel();
        }
    }
}
