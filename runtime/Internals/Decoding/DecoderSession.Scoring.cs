using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

internal sealed partial class DecoderSession
{
    // Bytes of the logits of a run.
    private const int LargestRun = 64 << 20;

    /// <summary>Tokens that <see cref="PrefillAll"/> takes at most.</summary>
    public int AllAtOnce => Math.Clamp(LargestRun / sizeof(float) / _graph.Vocabulary, 1, _ids.Length);

    /// <summary>Appends tokens and gives the logits of each; <see cref="Logits"/> stay as they were.</summary>
    /// <param name="logits">[tokens, vocabulary].</param>
    public void PrefillAll(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, AllAtOnce, nameof(tokens));
        long[] shape = [1, tokens.Length, _graph.Vocabulary];
        using var zero = new NativeBuffer<long>(1); // keeps the logits of all tokens
        using var keep = zero.Tensor(TensorElementType.Int64);
        using NativeBuffer<Half>? half = _logits16 is null ? null : new(logits.Length);
        using NativeBuffer<float>? single = half is null ? new(logits.Length) : null;
        using var output = half?.Tensor(_graph.LogitsType, shape) ?? single!.Tensor(_graph.LogitsType, shape);
        BindLogits(keep, output);
        try
        {
            Run(tokens, _prefill);
        }
        finally
        {
            BindLogits(_keepTensor, _logitsTensor);
        }
        if (half is null)
        {
            single!.Span.CopyTo(logits);
        }
        else
        {
            TensorPrimitives.ConvertToSingle(half.Span, logits);
        }
    }

    private void BindLogits(OrtValue keep, OrtValue output)
    {
        using var turn = _graph.Take();
        _prefill.BindInput(DecoderGraph.KeepName, keep);
        _prefill.BindOutput(_graph.Package.Config.Logits, output);
    }
}
