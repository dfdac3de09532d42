using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Requests;

/// <summary>The model, and what requests share about it.</summary>
/// <param name="ChatTemplate">How conversations become prompts; null where the model has no template.</param>
internal sealed record ServedModel(LanguageModel Model, string Name, ChatTemplate? ChatTemplate)
{
    public GrammarCache Grammars { get; } = new();
}
