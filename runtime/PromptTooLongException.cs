namespace LatentMoE.Runtime;

/// <summary>The prompt leaves no room in the context for a generated token. Nothing was run.</summary>
public sealed class PromptTooLongException(int promptTokens, int contextLength) : ArgumentException(
    $"The prompt has {promptTokens} tokens, but the context is {contextLength}: at most {contextLength - 1}, " +
    "to leave room for one generated token. Shorten the prompt, or use a model with a longer context.")
{
    /// <summary>Tokens of the refused prompt.</summary>
    public int PromptTokens { get; } = promptTokens;

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength { get; } = contextLength;
}
