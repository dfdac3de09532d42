using LatentMoE.Runtime.Internals.Decoding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>
/// The caches of all rows of a batch: for each half (key, value) of each layer one buffer [rows, heads, context, width], of which a run sees
/// neighbouring rows, as past and as present. Memory is taken as tokens are written. A device's buffers cannot be copied or saved from here.
/// </summary>
internal sealed unsafe class RowCache : IDisposable
{
    private const int SwapBytes = 1 << 14;
    private readonly DecoderGraph _graph;
    private readonly ReservedMemory?[] _host;
    private readonly OrtMemoryAllocation?[] _device;
    private readonly long _tokenBytes, _headBytes, _rowBytes;

    /// <exception cref="OutOfMemoryException">There is not enough memory for so many rows.</exception>
    public RowCache(DecoderGraph graph, int rows)
    {
        (_graph, Rows) = (graph, rows);
        _tokenBytes = (long)graph.HeadSize * (graph.CacheType == TensorElementType.Float ? sizeof(float) : sizeof(ushort));
        _headBytes = _tokenBytes * graph.ContextLength;
        _rowBytes = _headBytes * graph.KeyValueHeads;
        _host = new ReservedMemory?[Movable ? Halves : 0];
        _device = new OrtMemoryAllocation?[Movable ? 0 : Halves];
        try
        {
            for (int half = 0; half < Halves; half++)
            {
                if (Movable)
                {
                    _host[half] = new ReservedMemory(_rowBytes * rows);
                }
                else
                {
                    _device[half] = graph.Memory.Allocate(_rowBytes * rows);
                }
            }
        }
        catch
        {
            Dispose(); // of what there is so far
            throw;
        }
    }

    public int Rows { get; }

    /// <summary>Whether rows can be copied, saved and released: in host memory.</summary>
    public bool Movable => _graph.Device != Device.Cuda;

    /// <summary>One token in all layers.</summary>
    public long BytesPerToken => _tokenBytes * _graph.KeyValueHeads * Halves;

    private int Halves => 2 * _graph.Layers;

    /// <summary>Binds rows [count, heads, context, width] as past and as present.</summary>
    public void Bind(OrtIoBinding binding, int first, int count)
    {
        for (int layer = 0; layer < _graph.Layers; layer++)
        {
            using var key = View(2 * layer, first, count); // a binding keeps references of its own
            using var value = View(2 * layer + 1, first, count);
            binding.BindInput(_graph.Past(layer).Key, key);
            binding.BindInput(_graph.Past(layer).Value, value);
            binding.BindOutput(_graph.Present(layer).Key, key);
            binding.BindOutput(_graph.Present(layer).Value, value);
        }
    }

    /// <summary>Exchanges the first tokens of two rows, which may be none of either.</summary>
    public void Swap(int row, int tokens, int other, int otherTokens)
    {
        byte* buffer = stackalloc byte[SwapBytes];
        for (int half = 0; half < Halves; half++)
        {
            for (int head = 0; head < _graph.KeyValueHeads; head++)
            {
                byte* a = At(half, row, head, 0), b = At(half, other, head, 0);
                long both = Math.Min(tokens, otherTokens) * _tokenBytes;
                for (long done = 0; done < both; done += SwapBytes)
                {
                    long size = Math.Min(SwapBytes, both - done);
                    Copy(a + done, buffer, size);
                    Copy(b + done, a + done, size);
                    Copy(buffer, b + done, size);
                }
                Copy(a + both, b + both, Math.Max(0, tokens * _tokenBytes - both));
                Copy(b + both, a + both, Math.Max(0, otherTokens * _tokenBytes - both));
            }
        }
    }

    /// <summary>Gives back a row's memory, but for its first tokens.</summary>
    public void Release(int row, int tokens = 0)
    {
        foreach (var memory in _host)
        {
            for (int head = 0; head < _graph.KeyValueHeads; head++)
            {
                memory!.Release(row * _rowBytes + head * _headBytes + tokens * _tokenBytes, _headBytes - tokens * _tokenBytes);
            }
        }
    }

    /// <summary>Copies tokens of a row to memory of <see cref="BytesPerToken"/> each.</summary>
    public void Save(int row, int start, int count, nint target) => Transfer(row, start, count, (byte*)target, save: true);

    /// <summary>Copies tokens back into a row.</summary>
    public void Load(int row, int start, int count, nint source) => Transfer(row, start, count, (byte*)source, save: false);

    public void Dispose()
    {
        foreach (var memory in _host)
        {
            memory?.Dispose();
        }
        foreach (var memory in _device)
        {
            memory?.Dispose();
        }
    }

    private OrtValue View(int half, int first, int count)
    {
        nint start = (Movable ? _host[half]!.Start : _device[half]!.DangerousGetHandle()) + (nint)(first * _rowBytes);
        return _graph.Memory.TensorAt(start, count * _rowBytes, _graph.CacheType, count, _graph.KeyValueHeads, _graph.ContextLength, _graph.HeadSize);
    }

    private void Transfer(int row, int start, int count, byte* memory, bool save)
    {
        long bytes = count * _tokenBytes;
        for (int half = 0; half < Halves; half++)
        {
            for (int head = 0; head < _graph.KeyValueHeads; head++)
            {
                byte* tokens = At(half, row, head, start);
                Copy(save ? tokens : memory, save ? memory : tokens, bytes);
                memory += bytes;
            }
        }
    }

    private byte* At(int half, int row, int head, int token) =>
        (byte*)_host[half]!.Start + row * _rowBytes + head * _headBytes + token * _tokenBytes;

    private static void Copy(byte* from, byte* to, long bytes) => Buffer.MemoryCopy(from, to, bytes, bytes);
}
