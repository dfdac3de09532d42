using LatentMoE.Runtime;

namespace LatentMoE.Server.Internals.Protocol;

/// <summary>The answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data, string Object = "list");

/// <summary>One model: OpenAI's fields, vLLM's <c>max_model_len</c>, and what the page at / wants to know.</summary>
/// <param name="Created">Unix time of the package.</param>
/// <param name="Chat">Whether it has a chat template.</param>
internal sealed record ModelCard(string Id, long Created, int MaxModelLen, RoutedExpertsCard? RoutedExperts, bool Chat, string Object = "model", string OwnedBy = "latentmoe");

/// <inheritdoc cref="ExpertShape"/>
internal sealed record RoutedExpertsCard(int Layers, int Experts, int TopK);
