using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>The model, and what requests share about it.</summary>
/// <param name="Render">From a conversation to its prompt; null where the model has no chat template.</param>
internal sealed record ServedModel(LanguageModel Model, string Name, Func<IReadOnlyList<ChatTurn>, string>? Render)
{
    public GrammarCache Grammars { get; } = new();
}
