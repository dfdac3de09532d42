using Microsoft.Extensions.AI;

namespace LatentMoE.Runtime;

/// <summary>An engine under the interfaces that others know.</summary>
public static class InferenceEngineExtensions
{
    /// <summary>A chat client on the engine, which stays the caller's.</summary>
    /// <inheritdoc cref="LatentMoEChatClient(InferenceEngine, GenerationOptions?, ChatTemplate?)"/>
    public static IChatClient AsChatClient(this InferenceEngine engine, GenerationOptions? defaults = null, ChatTemplate? template = null) =>
        new LatentMoEChatClient(engine, defaults, template);
}
