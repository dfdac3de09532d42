using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace LatentMoE.Runtime;

/// <summary>
/// An engine as the chat client of Microsoft.Extensions.AI. Answers are those of <see cref="InferenceEngine"/> to the conversation as the model's
/// chat template writes it; the whole answer is the stream, collected. Keeps no conversation: every call brings its own.
/// </summary>
public sealed class LatentMoEChatClient : IChatClient
{
    private readonly InferenceEngine _engine;
    private readonly GenerationOptions _defaults;
    private readonly ChatTemplate? _template;
    private readonly ChatClientMetadata _metadata;

    /// <param name="engine">Stays the caller's, to be disposed of after the client.</param>
    /// <param name="defaults">What holds where <see cref="ChatOptions"/> says nothing.</param>
    /// <param name="template">Null takes the model's own.</param>
    public LatentMoEChatClient(InferenceEngine engine, GenerationOptions? defaults = null, ChatTemplate? template = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        (_engine, _defaults, _template) = (engine, defaults ?? new GenerationOptions(), template);
        _metadata = new ChatClientMetadata("latentmoe", providerUri: null, engine.Model.Name);
    }

    /// <summary>The answer to a conversation, whole.</summary>
    /// <inheritdoc cref="GetStreamingResponseAsync"/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <summary>
    /// The answer to a conversation, piece by piece; the last update brings finish reason and token counts. Of
    /// <see cref="ChatOptions.AdditionalProperties"/> it takes <c>min_p</c>, <c>typical_p</c> and <c>repetition_penalty</c>; a
    /// <see cref="GenerationOptions"/> from <see cref="ChatOptions.RawRepresentationFactory"/> takes the place of the defaults.
    /// </summary>
    /// <exception cref="NotSupportedException">The conversation or the options hold what this model cannot do, such as tools or pictures; the message names it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the template refuses the conversation.</exception>
    /// <exception cref="PromptTooLongException">The conversation does not fit the context.</exception>
    /// <exception cref="QueueFullException">Too many requests wait.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var generation = ChatRequest.Options(options, _defaults, this);
        var turns = ChatRequest.Turns(messages, options?.Instructions);
        return Stream(_engine.Model.EncodeChat(turns, _template), generation, cancellationToken);
    }

    /// <summary>Finds the engine, its model, the client itself, and <see cref="ChatClientMetadata"/>.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        object[] services = [this, _metadata, _engine, _engine.Model];
        return serviceKey is null ? services.FirstOrDefault(serviceType.IsInstanceOfType) : null;
    }

    /// <summary>Does nothing: the engine is the caller's.</summary>
    public void Dispose()
    {
    }

    internal string ModelName => _engine.Model.Name;

    private async IAsyncEnumerable<ChatResponseUpdate> Stream(
        int[] prompt, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string id = $"chatcmpl-{Guid.NewGuid():N}";
        var created = DateTimeOffset.UtcNow;
        await foreach (var piece in _engine.GenerateAsync(prompt, options, cancellationToken).ConfigureAwait(false))
        {
            if (piece.Text.Length == 0 && piece.FinishReason is null)
            {
                continue;
            }
            var update = new ChatResponseUpdate(ChatRole.Assistant, piece.Text)
            {
                ResponseId = id,
                MessageId = id,
                ModelId = ModelName,
                CreatedAt = created,
                FinishReason = piece.FinishReason switch
                {
                    null => null,
                    FinishReason.MaxNewTokens or FinishReason.ContextLength => ChatFinishReason.Length,
                    _ => ChatFinishReason.Stop,
                },
            };
            if (piece.Statistics is { } statistics)
            {
                update.Contents.Add(new UsageContent(new UsageDetails
                {
                    InputTokenCount = statistics.PromptTokens,
                    CachedInputTokenCount = statistics.CachedTokens,
                    OutputTokenCount = statistics.GeneratedTokens,
                    TotalTokenCount = statistics.PromptTokens + statistics.GeneratedTokens,
                }));
            }
            yield return update;
        }
    }
}
