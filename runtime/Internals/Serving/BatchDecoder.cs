using System.Numerics.Tensors;
using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// Many sequences on a graph: a run adds tokens to neighbouring rows of the cache, each at its own position. Rows with fewer tokens than the
/// widest begin with dead ones (position −1), so that the last column is the last token of all. Knows nothing of requests. Not thread-safe.
/// </summary>
internal sealed class BatchDecoder : IDisposable
{
    private readonly DecoderGraph _graph;
    private readonly NativeBuffer<long> _ids, _positions, _mask;
    private readonly NativeBuffer<float> _logits32;
    private readonly NativeBuffer<Half>? _logits16;
    private readonly ExpertOutputs? _experts;
    private readonly Dictionary<int, NativeBuffer<long>> _keep = [];
    private readonly Dictionary<int, OrtIoBinding> _steps = []; // by rows: those from 0 on, one token each
    private readonly OrtIoBinding _other;
    private readonly BatchSelection? _selection;
    private readonly RunOptions _run = new();
    private (int First, int Rows, int Width, int Keep) _bound;
    private int _lastRows, _lastKeep, _lastWidth;
    private bool _logitsOnDevice;

    /// <param name="maxTokens">Rows times width of a run, at most.</param>
    /// <param name="maxLogits">Rows times kept positions of a run, at most.</param>
    public BatchDecoder(DecoderGraph graph, int rows, int maxTokens, int maxLogits, ExpertOutputs? experts = null)
    {
        (_graph, _experts, MaxTokens) = (graph, experts, maxTokens);
        try
        {
            using (graph.Take())
            {
                Cache = new RowCache(graph, rows);
            }
            _ids = new(maxTokens);
            _positions = new(maxTokens);
            _mask = new(maxTokens);
            _mask.Span.Fill(1);
            _logits32 = new(checked(maxLogits * graph.Vocabulary));
            _logits16 = graph.LogitsType == TensorElementType.Float16 ? new(_logits32.Length) : null;
            _other = graph.Session.CreateIoBinding();
            _selection = graph.Selection is null ? null : new BatchSelection(graph, rows);
            if (graph.Captures)
            {
                _run.AddRunConfigEntry("gpu_graph_id", "-1"); // shapes change from run to run
            }
            if (!Cache.Movable)
            {
                ClearByRun();
            }
        }
        catch
        {
            Dispose(); // of what there is so far
            throw;
        }
    }

    public RowCache Cache { get; }

    public int MaxTokens { get; }

    /// <summary>Whether rows of a run may have different numbers of tokens: GroupQueryAttention knows no dead tokens before live ones.</summary>
    public bool Ragged => _graph.KeyValueHeads == 1;

    /// <summary>Whether tokens can be chosen where the logits are.</summary>
    public bool Selects => _selection is not null;

    /// <summary>Adds tokens to the rows from <paramref name="first"/> on, and leaves the logits of the last <paramref name="keep"/> columns.</summary>
    /// <param name="onDevice">Leaves the logits, of one column, for <see cref="Choose"/> alone.</param>
    public void Run(int first, ReadOnlySpan<RowTokens> rows, int keep, bool onDevice = false)
    {
        int width = 1;
        foreach (var row in rows)
        {
            width = Math.Max(width, row.Count);
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Length * width, MaxTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Length * keep * _graph.Vocabulary, _logits32.Length);
        Write(rows, width);
        using (_graph.Take())
        {
            var binding = Bound(first, rows.Length, width, keep);
            if (_graph.Device == Device.Cuda) // it gets its copies of host memory when they are bound
            {
                BindTokens(binding, rows.Length, width);
                BindLogits(binding, rows.Length, keep, onDevice);
                binding.SynchronizeBoundInputs();
            }
            _graph.Session.RunWithBinding(_run, binding);
        }
        (_lastRows, _lastKeep, _lastWidth, _logitsOnDevice) = (rows.Length, keep, width, onDevice);
        if (_logits16 is not null && !onDevice)
        {
            int count = rows.Length * keep * _graph.Vocabulary;
            TensorPrimitives.ConvertToSingle(_logits16.Span[..count], _logits32.Span[..count]);
        }
    }

    /// <summary>Logits [vocabulary] of a row of the last run, <paramref name="back"/> tokens before its last; free to be overwritten.</summary>
    public Span<float> Logits(int row, int back = 0) =>
        _logits32.Span.Slice((row * _lastKeep + _lastKeep - 1 - back) * _graph.Vocabulary, _graph.Vocabulary);

    /// <summary>Sets how <see cref="Choose"/> chooses for a row of the last run.</summary>
    public void SetChoice(int row, GenerationOptions options, float uniform) => _selection!.Set(row, options, uniform);

    /// <summary>The token of each row of the last run, of one column; −1 where none can be chosen.</summary>
    public ReadOnlySpan<long> Choose()
    {
        long[] shape = [_lastRows, _graph.Vocabulary];
        using var host = _logitsOnDevice ? null : _logits16?.Tensor(_graph.LogitsType, shape) ?? _logits32.Tensor(_graph.LogitsType, shape);
        return _selection!.Choose(_lastRows, host);
    }

    /// <summary>The experts that a row's token of the last run took; null where they are not tracked.</summary>
    public RoutedExperts? Experts(int row, int back = 0) => _experts?.Read(row * _lastWidth + _lastWidth - 1 - back);

    public void Dispose()
    {
        IEnumerable<IDisposable?> all = [.. _steps.Values, _other, _selection, _run, .. _keep.Values, Cache, _ids, _positions, _mask, _logits32, _logits16, _experts];
        foreach (var item in all)
        {
            item?.Dispose();
        }
    }

    private void Write(ReadOnlySpan<RowTokens> rows, int width)
    {
        Span<long> ids = _ids.Span, positions = _positions.Span;
        for (int row = 0; row < rows.Length; row++)
        {
            var tokens = rows[row].Tokens.Span;
            int dead = width - tokens.Length, at = row * width;
            ids.Slice(at, dead).Clear();
            positions.Slice(at, dead).Fill(-1);
            for (int i = 0; i < tokens.Length; i++)
            {
                (ids[at + dead + i], positions[at + dead + i]) = (tokens[i], rows[row].Position + i);
            }
        }
    }

    private OrtIoBinding Bound(int first, int rows, int width, int keep)
    {
        if ((first, width, keep) == (0, 1, 1))
        {
            if (!_steps.TryGetValue(rows, out var step))
            {
                _steps.Add(rows, step = _graph.Session.CreateIoBinding());
                Bind(step, first, rows, width, keep);
            }
            return step;
        }
        if (_bound != (first, rows, width, keep))
        {
            _bound = default; // in case that binding fails half-way
            Bind(_other, first, rows, width, keep);
            _bound = (first, rows, width, keep);
        }
        return _other;
    }

    private void Bind(OrtIoBinding binding, int first, int rows, int width, int keep)
    {
        Cache.Bind(binding, first, rows);
        BindTokens(binding, rows, width);
        if (!_keep.TryGetValue(keep, out var number))
        {
            _keep.Add(keep, number = new(1));
            number.Span[0] = keep;
        }
        using var count = number.Tensor(TensorElementType.Int64);
        binding.BindInput(DecoderGraph.KeepName, count);
        BindLogits(binding, rows, keep, onDevice: false);
        _experts?.Bind(binding, rows * width);
    }

    private void BindLogits(OrtIoBinding binding, int rows, int keep, bool onDevice)
    {
        long[] shape = [rows, keep, _graph.Vocabulary];
        using var logits = onDevice ? _selection!.Logits(rows) : _logits16?.Tensor(_graph.LogitsType, shape) ?? _logits32.Tensor(_graph.LogitsType, shape);
        binding.BindOutput(_graph.Package.Config.Logits, logits);
    }

    // input_ids, attention_mask, position_ids (rows, width)
    private void BindTokens(OrtIoBinding binding, int rows, int width)
    {
        var config = _graph.Package.Config;
        foreach (var (name, buffer) in new[] { (config.InputIds, _ids), (config.AttentionMask, _mask), (config.PositionIds, _positions) })
        {
            using var tensor = buffer.Tensor(TensorElementType.Int64, rows, width);
            binding.BindInput(name, tensor);
        }
    }

    // Device memory is zeroed by runs that read zeros as their past, a row each (see DecoderSession.ClearByRun).
    private void ClearByRun()
    {
        using var zeros = new NativeBuffer<float>(checked(_graph.KeyValueHeads * _graph.ContextLength * _graph.HeadSize));
        using var past = zeros.Tensor(_graph.CacheType, 1, _graph.KeyValueHeads, _graph.ContextLength, _graph.HeadSize);
        using var turn = _graph.Take();
        Write([new RowTokens(new int[1], 0)], 1);
        for (int row = 0; row < Cache.Rows; row++)
        {
            using var binding = _graph.Session.CreateIoBinding();
            Bind(binding, row, 1, 1, 1);
            for (int layer = 0; layer < _graph.Layers; layer++)
            {
                binding.BindInput(_graph.Past(layer).Key, past);
                binding.BindInput(_graph.Past(layer).Value, past);
            }
            binding.SynchronizeBoundInputs();
            _graph.Session.RunWithBinding(_run, binding);
        }
    }
}
