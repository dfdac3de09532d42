namespace LatentMoE.Training.Data;

/// <summary>What to train on, and how it is cut and tokenised.</summary>
public sealed record CorpusOptions
{
    /// <summary>Separates documents in text files, and in the token stream.</summary>
    public const string Separator = "<|endoftext|>";

    /// <summary>Special tokens of the tokenizers trained here, in id order.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } = [Separator, "<|pad|>"];

    /// <summary>A text file, a JSON-lines file or a folder of them; null is the story generator.</summary>
    public string? DataPath { get; init; }

    /// <summary>Size of the tokenizer to train, at least 258: the special tokens and the 256 bytes.</summary>
    public int VocabularySize { get; init; } = 2048;

    /// <summary>A <c>tokenizer.json</c> (or its folder) to use instead of training one.</summary>
    public string? TokenizerPath { get; init; }

    /// <summary>Share of the documents that is held out; at least one document is.</summary>
    public double ValidationFraction { get; init; } = 0.05;

    /// <summary>Written to <c>tokenizer_config.json</c>; does not change the tokens.</summary>
    public int ModelMaxLength { get; init; } = 512;

    /// <summary>How much text the story generator writes, in bytes.</summary>
    public int StoryBytes { get; init; } = 7_000_000;

    public ulong StorySeed { get; init; } = 1;
}
