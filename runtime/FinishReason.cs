namespace LatentMoE.Runtime;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model wrote its end-of-sequence token.</summary>
    EndOfSequence,

    /// <summary>One of <see cref="GenerationOptions.StopStrings"/> appeared; it is not part of the text.</summary>
    StopString,

    /// <summary>One of <see cref="GenerationOptions.StopTokens"/> was chosen.</summary>
    StopToken,

    /// <summary>The answer is whole as <see cref="GenerationOptions.Grammar"/> has it, and nothing may follow.</summary>
    GrammarComplete,

    /// <summary><see cref="GenerationOptions.MaxNewTokens"/> were generated.</summary>
    MaxNewTokens,

    /// <summary>Prompt and generated tokens fill the context.</summary>
    ContextLength,
}
