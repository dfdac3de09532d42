using LatentMoE.Checkpoints;
using LatentMoE.Runtime.Internals.Evaluation;

namespace LatentMoE.Runtime;

public sealed partial class LanguageModel
{
    /// <summary>
    /// The model's loss on documents, put one behind the other as in training: the separator, a document, the separator, a document, …, the
    /// separator. Windows are cut from that stream; every token after the first is predicted exactly once, from what its window holds
    /// before it. The separator is the tokenizer's &lt;|endoftext|&gt;, else the model's end-of-sequence token.
    /// </summary>
    /// <param name="documents">Spaces around a document do not count; special tokens spelled in it are text.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or there is no text.</exception>
    /// <exception cref="CheckpointException">The package names no token to separate documents by.</exception>
    public EvaluationResult Evaluate(
        IEnumerable<string> documents, EvaluationOptions? options = null, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        options ??= new EvaluationOptions();
        options.Validate(ContextLength);
        var text = TokenisedText.Of(documents, _package, options.MaxTokens, cancellationToken);
        var session = _pool.Rent(cancellationToken);
        try
        {
            int window = options.Window ?? ContextLength;
            double loss = new WindowScorer(session, text.Ids, window, options.Stride ?? window).Run(progress, cancellationToken);
            return new EvaluationResult(loss / text.Predicted, text.Predicted, text.Bytes, text.Documents);
        }
        finally
        {
            _pool.Return(session);
        }
    }
}
