using LatentMoE.Runtime.Internals.Decoding;
using LatentMoE.Runtime.Internals.Packages;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>Chooses the tokens of a batch on the device, so that only their ids come back, as <see cref="DeviceLoop"/> does for one sequence.</summary>
internal sealed class BatchSelection : IDisposable
{
    private readonly DecoderGraph _graph;
    private readonly RunOptions _run = new();
    private readonly DeviceTensor _logits, _token, _next;
    private readonly NativeBuffer<float> _temperature, _topP, _minP, _uniform;
    private readonly NativeBuffer<int> _topK;
    private readonly NativeBuffer<long> _positions, _chosen;
    private readonly OrtIoBinding _binding;

    public BatchSelection(DecoderGraph graph, int rows)
    {
        _graph = graph;
        (_temperature, _topP, _minP, _uniform) = (new(rows), new(rows), new(rows), new(rows));
        (_topK, _positions, _chosen) = (new(rows), new(rows), new(rows));
        using var turn = graph.Take();
        _logits = new(graph.Memory, graph.LogitsType, rows, 1, graph.Vocabulary);
        _token = new(graph.Memory, TensorElementType.Int64, rows, 1);
        _next = new(graph.Memory, TensorElementType.Int64, rows, 1);
        _binding = graph.Selection!.CreateIoBinding();
    }

    /// <summary>Where a run can leave its logits (rows, 1, vocabulary), on the device.</summary>
    public OrtValue Logits(int rows) => _logits.View(rows, 1, _graph.Vocabulary);

    /// <summary>Sets how a row's token is chosen from now on.</summary>
    /// <param name="uniform">The draw, in [0, 1).</param>
    public void Set(int row, GenerationOptions options, float uniform)
    {
        (_temperature.Span[row], _topP.Span[row], _minP.Span[row]) = (options.Temperature, options.TopP, options.MinP);
        (_topK.Span[row], _uniform.Span[row]) = (options.TopK, uniform);
    }

    /// <summary>The token of each row; −1 where none can be chosen.</summary>
    /// <param name="hostLogits">Logits (rows, vocabulary) on the host; null for those on the device.</param>
    public ReadOnlySpan<long> Choose(int rows, OrtValue? hostLogits)
    {
        using var turn = _graph.Take();
        using var own = hostLogits is null ? _logits.View(rows, _graph.Vocabulary) : null;
        _binding.BindInput(SelectionModel.Logits, hostLogits ?? own!);
        Input(SelectionModel.Temperature, _temperature, TensorElementType.Float, rows);
        Input(SelectionModel.TopP, _topP, TensorElementType.Float, rows);
        Input(SelectionModel.MinP, _minP, TensorElementType.Float, rows);
        Input(SelectionModel.Uniform, _uniform, TensorElementType.Float, rows);
        Input(SelectionModel.TopK, _topK, TensorElementType.Int32, rows);
        Input(SelectionModel.Positions, _positions, TensorElementType.Int64, rows, 1);
        using var token = _token.View(rows, 1);
        using var next = _next.View(rows, 1);
        using var chosen = _chosen.Tensor(TensorElementType.Int64, rows, 1);
        _binding.BindOutput(SelectionModel.Token, token);
        _binding.BindOutput(SelectionModel.NextPositions, next);
        _binding.BindOutput(SelectionModel.Copy, chosen);
        _binding.SynchronizeBoundInputs();
        _graph.Selection!.RunWithBinding(_run, _binding);
        return _chosen.Span[..rows];
    }

    public void Dispose()
    {
        foreach (var item in new IDisposable?[] { _binding, _run, _logits, _token, _next, _temperature, _topP, _minP, _uniform, _topK, _positions, _chosen })
        {
            item?.Dispose();
        }
    }

    private void Input<T>(string name, NativeBuffer<T> buffer, TensorElementType type, params long[] shape)
        where T : unmanaged
    {
        using var tensor = buffer.Tensor(type, shape); // the binding keeps a reference of its own
        _binding.BindInput(name, tensor);
    }
}
