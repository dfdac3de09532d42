using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>The routers' choices, as further outputs of a run: for each MoE layer the ids [tokens, top-k] of a token's experts.</summary>
internal sealed class ExpertOutputs : IDisposable
{
    private readonly IReadOnlyList<string> _names;
    private readonly int _topK;
    private readonly NativeBuffer<int>[] _chosen;

    /// <param name="names">The graph outputs, one for each MoE layer.</param>
    public ExpertOutputs(IReadOnlyList<string> names, int topK, int maxTokens)
    {
        (_names, _topK) = (names, topK);
        _chosen = [.. names.Select(_ => new NativeBuffer<int>(maxTokens * topK))];
    }

    public void Bind(OrtIoBinding binding, int tokens)
    {
        for (int layer = 0; layer < _chosen.Length; layer++)
        {
            using var tensor = _chosen[layer].Tensor(TensorElementType.Int32, tokens, _topK);
            binding.BindOutput(_names[layer], tensor);
        }
    }

    /// <summary>The experts of one token of the last run.</summary>
    public RoutedExperts Read(int token) =>
        new([.. _chosen.Select(layer => layer.Span.Slice(token * _topK, _topK).ToArray())]);

    public void Dispose()
    {
        foreach (var buffer in _chosen)
        {
            buffer.Dispose();
        }
    }
}
