using System.Numerics.Tensors;
using LatentMoE.Runtime.Internals.Decoding;

namespace LatentMoE.Runtime.Internals.Evaluation;

/// <summary>
/// Goes over a stream of tokens window by window and adds up −ln p of every token after the first, each in the first window that holds
/// both it and the token before it.
/// </summary>
internal readonly ref struct WindowScorer(DecoderSession session, ReadOnlySpan<int> ids, int window, int stride)
{
    private readonly ReadOnlySpan<int> _ids = ids;

    public double Run(IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        int last = _ids.Length - 1, scored = 0, vocabulary = session.Logits.Length;
        var logits = new float[Math.Min(session.AllAtOnce, window) * vocabulary];
        double sum = 0;
        for (int start = 0; scored < last; start += stride)
        {
            int end = Math.Min(start + window, last); // the last token is read by nobody
            session.Rewind(0);
            session.Prefill(_ids[start..scored]);
            while (scored < end)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = Math.Min(session.AllAtOnce, end - scored);
                session.PrefillAll(_ids.Slice(scored, count), logits.AsSpan(0, count * vocabulary));
                for (int i = 0; i < count; i++)
                {
                    sum += Loss(logits.AsSpan(i * vocabulary, vocabulary), _ids[scored + i + 1]);
                }
                scored += count;
                progress?.Report(new EvaluationProgress(scored, last, sum / scored));
            }
        }
        return sum;
    }

    // ln Σ exp(logit) − the target's logit; overwrites the logits.
    private static double Loss(Span<float> logits, int target)
    {
        float largest = TensorPrimitives.Max<float>(logits), wanted = logits[target] - largest;
        TensorPrimitives.Subtract(logits, largest, logits);
        TensorPrimitives.Exp<float>(logits, logits);
        return Math.Log(TensorPrimitives.Sum<float>(logits)) - wanted;
    }
}
