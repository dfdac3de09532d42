using LatentMoE.Checkpoints.Tokenization;

namespace LatentMoE.Training.Tokenization;

/// <summary>A trained byte-level BPE vocabulary: special tokens, the 256 byte symbols, then what the merges make, in id order.</summary>
public sealed record BpeVocabulary
{
    /// <summary>Tokens by id, in the byte alphabet.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Pairs in rank order.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    public required IReadOnlyList<string> SpecialTokens { get; init; }

    /// <summary>False when the text ran out of repeated pairs before the vocabulary had the size asked for.</summary>
    public required bool Complete { get; init; }

    /// <summary>Writes the tokenizer files of a Hugging Face checkpoint folder.</summary>
    public void Write(string folder, int modelMaxLength) => TokenizerFileWriter.Write(folder, Tokens, Merges, SpecialTokens, modelMaxLength);
}
