using System.Text.Json.Serialization;

namespace LatentMoE.Server.Internals.Protocol;

/// <summary>An answer of <c>/v1/completions</c>, whole or an event of its stream: both have this shape.</summary>
internal sealed record Completion(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, string Object = "text_completion")
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Timings? Timings { get; init; }
}

internal sealed record CompletionChoice(int Index, string Text, CompletionLogprobs? Logprobs, string? FinishReason)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>[token][layer][k]</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>>? Experts { get; init; }
}

/// <summary>Log-probabilities in the old shape: parallel lists, an entry for each generated token.</summary>
/// <param name="TopLogprobs">By text; of tokens with the same text the likelier. Null where none were asked for.</param>
/// <param name="TextOffset">Where in the answer a token's text begins, in UTF-16 units.</param>
internal sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<float> TokenLogprobs, IReadOnlyList<IReadOnlyDictionary<string, float>>? TopLogprobs, IReadOnlyList<int> TextOffset);
