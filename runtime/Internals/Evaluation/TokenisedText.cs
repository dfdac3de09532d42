using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Packages;

namespace LatentMoE.Runtime.Internals.Evaluation;

/// <summary>Documents as one stream of tokens, a separator before the first and after each.</summary>
internal sealed class TokenisedText
{
    private const string Separator = "<|endoftext|>";
    private readonly List<int> _ids = [];

    public ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(_ids);

    /// <summary>Tokens after the first.</summary>
    public int Predicted => _ids.Count - 1;

    /// <summary>UTF-8 bytes of the tokens after the first.</summary>
    public long Bytes { get; private set; }

    public int Documents { get; private set; }

    /// <param name="limit">Tokens after the first at most; reads no more documents than that takes.</param>
    public static TokenisedText Of(IEnumerable<string> documents, ModelPackage package, long? limit, CancellationToken cancellation)
    {
        var (text, tokenizer, separator) = (new TokenisedText(), package.Tokenizer, SeparatorOf(package));
        long most = Math.Min(limit ?? long.MaxValue, Array.MaxLength - 1) + 1;
        text._ids.Add(separator);
        foreach (string document in documents.Select(document => document.Trim()).Where(document => document.Length > 0))
        {
            cancellation.ThrowIfCancellationRequested();
            // Special tokens spelled in a document are text there, as in training.
            tokenizer.EncodeText(document, text._ids);
            text._ids.Add(separator);
            text.Documents++;
            if (text._ids.Count >= most)
            {
                CollectionsMarshal.SetCount(text._ids, (int)most);
                break;
            }
        }
        if (text.Documents == 0)
        {
            throw new ArgumentException($"There is no text. Expected documents, separated by {Separator} in a file.");
        }
        text.Bytes = text._ids.Skip(1).Sum(id => tokenizer.TryGetBytes(id, out var bytes) ? bytes.Length : 0);
        return text;
    }

    private static int SeparatorOf(ModelPackage package)
    {
        if (package.Tokenizer.SpecialTokens.TryGetValue(Separator, out int id))
        {
            return id;
        }
        return package.Config.EndTokens.Count > 0 ? package.Config.EndTokens.Min() : throw new CheckpointException(
            $"{package.Tokenizer.FilePath}: no special token {Separator}, and {GenAIConfig.FileName} has no model.eos_token_id: nothing separates documents.");
    }
}
