using LatentMoE.Runtime.Internals.Packages;
using LatentMoE.Runtime.Sampling;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>
/// The decode steps of one sequence with everything on the device: the chosen token becomes the next step's input in place, and only its
/// id comes back. All tensors of a step keep their addresses, so that the step can be captured as a CUDA graph and replayed.
/// </summary>
internal sealed class DeviceLoop : IDisposable
{
    private static int _graphs;
    private readonly DecoderGraph _graph;
    private readonly InferenceSession _selection;
    private readonly RunOptions _run = new(), _choice = new();
    private readonly NativeBuffer<float> _temperature = new(1), _topP = new(1), _minP = new(1), _uniform = new(1);
    private readonly NativeBuffer<int> _topK = new(1);
    private readonly NativeBuffer<long> _mask = new(1), _start = new(1), _chosen = new(1);
    private readonly DeviceTensor _ids, _positions, _logits;
    private readonly OrtIoBinding _step, _first, _next;
    private bool _draws;

    public DeviceLoop(DecoderGraph graph)
    {
        (_graph, _selection) = (graph, graph.Selection!);
        if (graph.Captures)
        {
            _run.AddRunConfigEntry("gpu_graph_id", Interlocked.Increment(ref _graphs).ToString());
        }
        _mask.Span[0] = 1;
        using var turn = graph.Take();
        try
        {
            _ids = new(graph.Memory, TensorElementType.Int64, 1, 1);
            _positions = new(graph.Memory, TensorElementType.Int64, 1, 1);
            _logits = new(graph.Memory, graph.LogitsType, 1, 1, graph.Vocabulary);
            _step = graph.Session.CreateIoBinding();
            _first = _selection.CreateIoBinding();
            _next = _selection.CreateIoBinding();
            BindStep();
            BindSelection(_first);
            BindSelection(_next);
            _next.BindInput(SelectionModel.Positions, _positions.Value);
        }
        catch
        {
            Dispose(); // of what there is so far
            throw;
        }
    }

    /// <summary>Where a prompt's run leaves the logits (1, 1, vocabulary) of its last token.</summary>
    public OrtValue Logits => _logits.Value;

    public void Bind(KeyValueCache cache) => cache.Bind(_step);

    public void Interrupt() => _run.Terminate = true;

    public void Resume() => _run.Terminate = false;

    /// <summary>Sets how tokens are chosen from now on.</summary>
    public void Begin(GenerationOptions options)
    {
        (_temperature.Span[0], _topP.Span[0], _minP.Span[0], _topK.Span[0]) = (options.Temperature, options.TopP, options.MinP, options.TopK);
        (_uniform.Span[0], _draws) = (0, options.Temperature > 0);
        using var turn = _graph.Take();
        foreach (var binding in new[] { _first, _next })
        {
            BindHost(binding, SelectionModel.Temperature, _temperature, TensorElementType.Float, 1);
            BindHost(binding, SelectionModel.TopP, _topP, TensorElementType.Float, 1);
            BindHost(binding, SelectionModel.MinP, _minP, TensorElementType.Float, 1);
            BindHost(binding, SelectionModel.TopK, _topK, TensorElementType.Int32, 1);
            BindHost(binding, SelectionModel.Uniform, _uniform, TensorElementType.Float, 1);
        }
    }

    /// <summary>Chooses from the prompt's logits.</summary>
    /// <param name="position">Of the prompt's last token.</param>
    public int First(int position, Sampler sampler)
    {
        _start.Span[0] = position;
        using var turn = _graph.Take();
        BindHost(_first, SelectionModel.Positions, _start, TensorElementType.Int64, 1, 1);
        return Select(_first, sampler);
    }

    /// <summary>Runs the token that was chosen last and chooses the next one.</summary>
    public int Next(Sampler sampler)
    {
        using var turn = _graph.Take();
        _graph.Session.RunWithBinding(_run, _step);
        return Select(_next, sampler);
    }

    public void Dispose()
    {
        foreach (var item in new IDisposable?[]
            { _step, _first, _next, _run, _choice, _ids, _positions, _logits, _temperature, _topP, _minP, _uniform, _topK, _mask, _start, _chosen })
        {
            item?.Dispose();
        }
    }

    private int Select(OrtIoBinding binding, Sampler sampler)
    {
        if (_draws)
        {
            _uniform.Span[0] = sampler.NextUniform();
            BindHost(binding, SelectionModel.Uniform, _uniform, TensorElementType.Float, 1);
        }
        _selection.RunWithBinding(_choice, binding);
        long token = _chosen.Span[0];
        return token >= 0 ? (int)token : throw Sampler.NoToken("The largest logit is not a finite number");
    }

    private void BindStep()
    {
        var config = _graph.Package.Config;
        _step.BindInput(config.InputIds, _ids.Value);
        _step.BindInput(config.PositionIds, _positions.Value);
        BindHost(_step, config.AttentionMask, _mask, TensorElementType.Int64, 1, 1);
        _step.BindOutput(config.Logits, _logits.Value);
    }

    private void BindSelection(OrtIoBinding binding)
    {
        using var logits = _logits.View(1, _graph.Vocabulary); // the binding keeps a reference of its own
        using var chosen = _chosen.Tensor(TensorElementType.Int64, 1, 1);
        binding.BindInput(SelectionModel.Logits, logits);
        binding.BindOutput(SelectionModel.Token, _ids.Value);
        binding.BindOutput(SelectionModel.NextPositions, _positions.Value);
        binding.BindOutput(SelectionModel.Copy, chosen);
    }

    // A device takes its copy now, at an address that stays until the next time.
    private static void BindHost<T>(OrtIoBinding binding, string name, NativeBuffer<T> buffer, TensorElementType type, params long[] shape)
        where T : unmanaged
    {
        using var tensor = buffer.Tensor(type, shape);
        binding.BindInput(name, tensor);
        binding.SynchronizeBoundInputs();
    }
}
