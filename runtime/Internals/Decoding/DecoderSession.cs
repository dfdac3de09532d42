using System.Numerics.Tensors;
using LatentMoE.Runtime.Sampling;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>
/// One sequence on a graph: its cache and the tensors of a step, bound once and reused. Knows token ids and positions,
/// neither text nor sampling. A token's position is its slot in the cache, so that the mask covers just the tokens of the
/// run and nothing grows from step to step. Not thread-safe; sessions of one graph may run side by side.
/// </summary>
internal sealed partial class DecoderSession : IDisposable
{
    private readonly DecoderGraph _graph;
    private readonly KeyValueCache _cache;
    private readonly NativeBuffer<long> _ids, _positions, _mask, _keep;
    private readonly NativeBuffer<float> _logits32;
    private readonly NativeBuffer<Half>? _logits16;
    private readonly OrtValue _keepTensor, _logitsTensor;
    private readonly OrtIoBinding _decode, _prefill;
    private readonly RunOptions _run = new();
    private readonly DeviceLoop? _device;

    public DecoderSession(DecoderGraph graph)
    {
        _graph = graph;
        try
        {
            int chunk = Math.Min(graph.PrefillChunk, graph.ContextLength);
            _ids = new(chunk);
            _positions = new(chunk);
            _mask = new(chunk);
            _keep = new(1);
            _mask.Span.Fill(1);
            _logits32 = new(graph.Vocabulary);
            _logits16 = graph.LogitsType == TensorElementType.Float16 ? new(graph.Vocabulary) : null;
            _keep.Span[0] = 1; // of a prompt, only the last token's logits
            _keepTensor = _keep.Tensor(TensorElementType.Int64);
            long[] shape = [1, 1, graph.Vocabulary];
            _logitsTensor = _logits16?.Tensor(graph.LogitsType, shape) ?? _logits32.Tensor(graph.LogitsType, shape);
            _decode = graph.Session.CreateIoBinding();
            _prefill = graph.Session.CreateIoBinding();
            _cache = new KeyValueCache(graph);
            Bind(_decode);
            Bind(_prefill);
            if (graph.Device == Device.Cuda)
            {
                if (graph.Captures)
                {
                    _run.AddRunConfigEntry("gpu_graph_id", "-1"); // only steps of the device's own loop are captured
                }
                ClearByRun();
                _device = graph.Selection is null ? null : new DeviceLoop(graph);
                _device?.Bind(_cache);
            }
        }
        catch
        {
            Dispose(); // of what there is so far
            throw;
        }
    }

    /// <summary>Tokens in the cache; the next one goes to this position.</summary>
    public int Position { get; private set; }

    public int ContextLength => _graph.ContextLength;

    /// <summary>Logits [vocabulary] after the last token; valid, and free to be overwritten, until the next run.</summary>
    public Span<float> Logits => _logits32.Span;

    /// <summary>Tokens of the cache that the next run sees at least.</summary>
    internal int ViewLength => _cache.Length;

    public long CacheBytes => _cache.TotalBytes;

    /// <summary>Appends tokens, some at a time, and leaves the last one's logits.</summary>
    public void Prefill(ReadOnlySpan<int> tokens)
    {
        for (int start = 0; start < tokens.Length; start += _ids.Length)
        {
            Run(tokens[start..Math.Min(start + _ids.Length, tokens.Length)]);
        }
    }

    /// <summary>Appends one token and leaves its logits.</summary>
    public void Step(int token) => Run(new ReadOnlySpan<int>(in token));

    /// <summary>Whether tokens can be chosen where the logits are: then only their ids come back.</summary>
    public bool Selects => _device is not null;

    /// <summary>Sets how tokens are chosen on the device from now on.</summary>
    public void BeginSelection(GenerationOptions options) => _device!.Begin(options);

    /// <summary>Appends tokens and chooses the one after them; <see cref="Logits"/> stay as they were.</summary>
    public int PrefillAndSelect(ReadOnlySpan<int> tokens, Sampler sampler)
    {
        using (_graph.Take())
        {
            _prefill.BindOutput(_graph.Package.Config.Logits, _device!.Logits);
        }
        try
        {
            for (int start = 0; start < tokens.Length; start += _ids.Length)
            {
                Run(tokens[start..Math.Min(start + _ids.Length, tokens.Length)], _prefill);
            }
        }
        finally
        {
            using (_graph.Take())
            {
                _prefill.BindOutput(_graph.Package.Config.Logits, _logitsTensor);
            }
        }
        return _device.First(Position - 1, sampler);
    }

    /// <summary>Appends the token that was chosen last, and chooses the one after it.</summary>
    public int StepAndSelect(Sampler sampler)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(Position, ContextLength);
        int token = _device!.Next(sampler);
        Position++;
        return token;
    }

    /// <summary>Forgets the tokens from <paramref name="position"/> on.</summary>
    public void Rewind(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)position, (uint)Position, nameof(position));
        Position = position;
        if (position == 0)
        {
            _cache.Shrink();
        }
    }

    /// <summary>Runs one token at the last position of an empty session, and forgets it: so long a context it must have.</summary>
    public void StepAtTheEnd()
    {
        Position = ContextLength - 1;
        try
        {
            Step(0);
        }
        finally
        {
            Rewind(0);
        }
    }

    /// <summary>Makes a run under way, and every later one, fail until <see cref="Resume"/>. From any thread.</summary>
    public void Interrupt()
    {
        _run.Terminate = true;
        _device?.Interrupt();
    }

    public void Resume()
    {
        _run.Terminate = false;
        _device?.Resume();
    }

    public void Dispose()
    {
        foreach (var item in new IDisposable?[]
            { _device, _decode, _prefill, _run, _keepTensor, _logitsTensor, _cache, _ids, _positions, _mask, _keep, _logits32, _logits16 })
        {
            item?.Dispose();
        }
    }

    private void Run(ReadOnlySpan<int> tokens)
    {
        Run(tokens, tokens.Length == 1 ? _decode : _prefill);
        if (_logits16 is not null)
        {
            TensorPrimitives.ConvertToSingle(_logits16.Span, _logits32.Span);
        }
    }

    private void Run(ReadOnlySpan<int> tokens, OrtIoBinding binding)
    {
        int end = Position + tokens.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, ContextLength, nameof(tokens));
        if (_cache.Fit(end))
        {
            _cache.Bind(_decode);
            _cache.Bind(_prefill);
        }
        for (int i = 0; i < tokens.Length; i++)
        {
            (_ids.Span[i], _positions.Span[i]) = (tokens[i], Position + i);
        }
        using var turn = _graph.Take();
        // On the CPU the decode binding reads this memory at every run; a device gets its copies when they are bound.
        if (binding == _prefill || _graph.Device == Device.Cuda)
        {
            BindTokens(binding, tokens.Length);
            binding.SynchronizeBoundInputs();
        }
        _graph.Session.RunWithBinding(_run, binding);
        Position = end;
    }

    private void Bind(OrtIoBinding binding)
    {
        binding.BindInput(DecoderGraph.KeepName, _keepTensor);
        binding.BindOutput(_graph.Package.Config.Logits, _logitsTensor);
        BindTokens(binding, 1);
    }

    // input_ids, attention_mask, position_ids (1, S)
    private void BindTokens(OrtIoBinding binding, int count)
    {
        var config = _graph.Package.Config;
        BindStart(binding, config.InputIds, _ids, count);
        BindStart(binding, config.AttentionMask, _mask, count);
        BindStart(binding, config.PositionIds, _positions, count);
    }

    private static void BindStart(OrtIoBinding binding, string name, NativeBuffer<long> buffer, int count)
    {
        using var tensor = buffer.Tensor(TensorElementType.Int64, 1, count); // the binding keeps a reference of its own
        binding.BindInput(name, tensor);
    }

    /// <summary>
    /// Zeroes a cache in device memory, which cannot be written from here: a run that reads zeros as its past writes them,
    /// and one token at position 0, as its present.
    /// </summary>
    internal void ClearByRun()
    {
        using var turn = _graph.Take();
        using var zeros = new NativeBuffer<float>(checked(_graph.KeyValueHeads * ContextLength * _graph.HeadSize));
        using var past = zeros.Tensor(_graph.CacheType, 1, _graph.KeyValueHeads, ContextLength, _graph.HeadSize);
        _cache.Fit(ContextLength);
        _cache.Bind(_decode, past);
        _ids.Span[0] = _positions.Span[0] = 0;
        BindTokens(_decode, 1);
        _decode.SynchronizeBoundInputs();
        _graph.Session.RunWithBinding(_run, _decode);
        _cache.Bind(_decode);
        _cache.Bind(_prefill);
    }
}
