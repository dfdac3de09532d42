namespace LatentMoE.Runtime;

public sealed partial class LanguageModel
{
    /// <summary>The ids that a text prompt becomes: its own, after the beginning-of-sequence token where there is to be one.</summary>
    /// <param name="addBeginOfSequence">Null as the package's tokenizer_config.json says.</param>
    /// <exception cref="ArgumentException">It is true, and the package names no beginning-of-sequence token.</exception>
    public int[] EncodePrompt(string text, bool? addBeginOfSequence = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] tokens = Encode(text);
        if (!(addBeginOfSequence ?? _package.AddBeginOfSequence))
        {
            return tokens;
        }
        int begin = _package.BeginToken ?? throw new ArgumentException(
            $"{nameof(addBeginOfSequence)} is true, but the package names no beginning-of-sequence token.");
        return [begin, .. tokens];
    }

    /// <summary>The name of a special token, such as <c>&lt;|endoftext|&gt;</c>; null for the others.</summary>
    public string? SpecialToken(int tokenId) => _package.Tokenizer.IsSpecial(tokenId) ? _package.Tokenizer.Token(tokenId) : null;
}
