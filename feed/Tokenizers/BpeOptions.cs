namespace Microsoft.ML.Tokenizers;

/// <summary>What a <see cref="BpeTokenizer"/> is made from.</summary>
public sealed class BpeOptions
{
    public BpeOptions(IEnumerable<KeyValuePair<string, int>> vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Vocabulary = vocabulary;
    }

    public IEnumerable<KeyValuePair<string, int>> Vocabulary { get; }

    /// <summary>Pairs of tokens as "left right", the earliest first to be merged.</summary>
    public IEnumerable<string>? Merges { get; set; }

    /// <summary>Pieces that have an id of their own, whatever the merges say.</summary>
    public IReadOnlyDictionary<string, int>? SpecialTokens { get; set; }

    /// <summary>Null means <see cref="PreTokenizer.CreateWordOrNonWord"/>.</summary>
    public PreTokenizer? PreTokenizer { get; set; }

    /// <summary>Stands for what the vocabulary lacks; null drops it.</summary>
    public string? UnknownToken { get; set; }

    /// <summary>Whether tokens are made of UTF-8 bytes, spelled in GPT-2's byte alphabet, rather than of characters.</summary>
    public bool ByteLevel { get; set; }
}
