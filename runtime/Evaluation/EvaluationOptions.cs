namespace LatentMoE.Runtime;

/// <summary>How <see cref="LanguageModel.Evaluate"/> cuts a text.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Tokens that the model reads at once; null is the context.</summary>
    public int? Window { get; init; }

    /// <summary>
    /// Tokens from the start of a window to that of the next; null is the window, so that windows follow each other. Fewer give every
    /// prediction at least window − stride tokens before it, and take longer.
    /// </summary>
    public int? Stride { get; init; }

    /// <summary>Predicted tokens at most, from the start of the text; null is all.</summary>
    public long? MaxTokens { get; init; }

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Validate(int contextLength)
    {
        int window = Window ?? contextLength;
        Require(window > 0 && window <= contextLength, nameof(Window), window, $"1 to the context, {contextLength}");
        Require(Stride is null || (Stride > 0 && Stride <= window), nameof(Stride), Stride, $"1 to the window, {window}");
        Require(MaxTokens is null or > 0, nameof(MaxTokens), MaxTokens, "null or at least 1");
    }

    private static void Require(bool ok, string name, object? value, string range)
    {
        if (!ok)
        {
            throw new ArgumentException($"{name} is {value}; expected {range}.");
        }
    }
}
