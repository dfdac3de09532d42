using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace LatentMoE.Checkpoints;

/// <summary>A memory-mapped safetensors file. Every offset, type and shape of the header is checked when it is opened; nothing is read until asked for.</summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly Dictionary<string, SafetensorsTensor> tensors = [];
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly SafeMemoryMappedViewHandle handle;
    private readonly byte* start;

    private SafetensorsFile(string path, SafetensorsHeader header, FileStream stream)
    {
        Path = path;
        Metadata = header.Metadata;
        foreach (var t in header.Tensors)
        {
            tensors.Add(t.Name, new(this, t.Name, t.DType, t.Shape, header.DataStart + t.Begin, (t.End - t.Begin) / t.DType.Size()));
        }
        map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        handle = view.SafeMemoryMappedViewHandle;
        handle.AcquirePointer(ref start);
    }

    public string Path { get; }

    /// <summary>The header's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors, in the order of their bytes.</summary>
    public IReadOnlyCollection<SafetensorsTensor> Tensors => tensors.Values;

    /// <exception cref="CheckpointException">There is no tensor of that name.</exception>
    public SafetensorsTensor this[string name] => TryGet(name, out var tensor) ? tensor
        : throw new CheckpointException($"{Path}: tensor {name} is missing.");

    public bool TryGet(string name, [MaybeNullWhen(false)] out SafetensorsTensor tensor) => tensors.TryGetValue(name, out tensor);

    /// <exception cref="CheckpointException">The file is missing, truncated, or its header lies about it.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: no such file.");
        }
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            return new SafetensorsFile(path, SafetensorsHeader.Read(stream, path), stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    internal ReadOnlySpan<byte> Span(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        return new(start + offset, length);
    }

    public void Dispose()
    {
        if (!handle.IsClosed)
        {
            handle.ReleasePointer();
            view.Dispose();
            map.Dispose();
        }
    }
}
