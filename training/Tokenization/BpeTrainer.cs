using LatentMoE.Training.Tokenization.Internals;

namespace LatentMoE.Training.Tokenization;

/// <summary>
/// Byte-pair encoding learnt from text: the most frequent pair becomes a token, again and again (Sennrich et al. 2016, over bytes).
/// Of equally frequent pairs the one with the smaller left, then right, id wins, as in Hugging Face's trainer: equal text gives equal merges.
/// </summary>
public static class BpeTrainer
{
    /// <summary>Pairs met only once are not worth a token.</summary>
    private const long LeastCount = 2;

    /// <summary>The smallest vocabulary with these special tokens: they and the 256 bytes.</summary>
    public static int SmallestVocabulary(IReadOnlyList<string> specialTokens) => 256 + specialTokens.Count;

    /// <summary>Learns a vocabulary from documents, each read once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size has no room for the special tokens and the 256 bytes.</exception>
    public static BpeVocabulary Train(IEnumerable<string> documents, int vocabularySize, IReadOnlyList<string> specialTokens,
        IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        int smallest = SmallestVocabulary(specialTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, smallest);
        var tokens = new TokenTable(specialTokens);
        var words = new WordCounter();
        foreach (string document in documents)
        {
            cancellation.ThrowIfCancellationRequested();
            words.Add(document);
        }
        words.Flush();
        progress?.Report($"{words.Total:N0} words, {words.Distinct:N0} distinct{(words.Dropped > 0 ? $"; {words.Dropped:N0} rare ones dropped for memory" : "")}");
        var pairs = new PairIndex(words.Words(tokens));
        var merges = new List<(string, string)>(vocabularySize - smallest);
        while (tokens.Count < vocabularySize && pairs.TryTakeBest(LeastCount, out int left, out int right))
        {
            cancellation.ThrowIfCancellationRequested();
            merges.Add((tokens[left], tokens[right]));
            pairs.Merge(left, right, tokens.Join(left, right));
        }
        return new BpeVocabulary
        {
            Tokens = tokens.ToArray(),
            Merges = merges,
            SpecialTokens = [.. specialTokens],
            Complete = tokens.Count == vocabularySize,
        };
    }
}
