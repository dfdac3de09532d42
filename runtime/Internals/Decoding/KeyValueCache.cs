using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Runtime.Internals.Decoding;

/// <summary>
/// One buffer for each half (key, value) of each layer, allocated once for the whole context and bound as past and as
/// present, so that a run writes it in place. On the CPU a run sees a view of its first <see cref="Length"/> tokens:
/// standard-operator bodies copy what they see, so a short answer should not pay for a long context.
/// </summary>
internal sealed class KeyValueCache : IDisposable
{
    // A view grows by this many tokens: seldom enough to cost nothing, tight enough for the bodies.
    private const int Step = 128;
    private readonly DecoderGraph _graph;
    private readonly OrtMemoryAllocation[] _memory;
    private readonly OrtValue?[] _views;

    public KeyValueCache(DecoderGraph graph)
    {
        _graph = graph;
        _memory = new OrtMemoryAllocation[2 * graph.Layers];
        _views = new OrtValue?[_memory.Length];
        try
        {
            for (int i = 0; i < _memory.Length; i++)
            {
                _memory[i] = graph.Memory.Allocate(graph.CacheHalfBytes);
            }
            if (!OnDevice)
            {
                Clear();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Tokens that the present view holds.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of all buffers.</summary>
    public long TotalBytes => _graph.CacheHalfBytes * _memory.Length;

    private bool Tight => _graph.KeyValueHeads == 1 && !OnDevice;

    private bool OnDevice => _graph.Device == Device.Cuda;

    /// <summary>Makes the view hold at least <paramref name="tokens"/>; true if it changed and must be bound again.</summary>
    public bool Fit(int tokens)
    {
        if (tokens <= Length)
        {
            return false;
        }
        // With one head, a shorter view is the same memory; several heads lie a whole context apart.
        Length = Tight ? Math.Min((tokens + Step - 1) / Step * Step, _graph.ContextLength) : _graph.ContextLength;
        for (int i = 0; i < _memory.Length; i++)
        {
            _views[i]?.Dispose();
            _views[i] = _graph.Memory.Tensor(_memory[i], _graph.CacheHalfBytes, _graph.CacheType, 1, _graph.KeyValueHeads, Length, _graph.HeadSize);
        }
        return true;
    }

    /// <summary>Lets the next <see cref="Fit"/> take the shortest view again, so that a sequence runs as in a new cache.</summary>
    public void Shrink() => Length = Tight ? 0 : Length;

    /// <summary>Binds every half as present, and as past too unless a run is to read <paramref name="past"/> instead.</summary>
    public void Bind(OrtIoBinding binding, OrtValue? past = null)
    {
        for (int layer = 0; layer < _graph.Layers; layer++)
        {
            var (key, value) = (_views[2 * layer]!, _views[2 * layer + 1]!);
            binding.BindInput(_graph.Past(layer).Key, past ?? key);
            binding.BindInput(_graph.Past(layer).Value, past ?? value);
            binding.BindOutput(_graph.Present(layer).Key, key);
            binding.BindOutput(_graph.Present(layer).Value, value);
        }
    }

    public void Dispose()
    {
        foreach (var view in _views)
        {
            view?.Dispose();
        }
        foreach (var memory in _memory)
        {
            memory?.Dispose();
        }
    }

    private unsafe void Clear()
    {
        foreach (var memory in _memory)
        {
            new Span<byte>((void*)memory.DangerousGetHandle(), checked((int)_graph.CacheHalfBytes)).Clear();
        }
    }
}
