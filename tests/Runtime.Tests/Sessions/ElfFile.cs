using System.Buffers.Binary;
using System.Text;
using LatentMoE.Tests.Support;

namespace LatentMoE.Runtime.Tests.Sessions;

/// <summary>The least of a shared object that names the libraries it needs: a header, one loaded segment over all, and the dynamic one.</summary>
internal sealed class ElfFile : IDisposable
{
    private const int Header = 64, Segment = 56, Entry = 16;
    private const long Address = 0x10000;
    private readonly TemporaryFolder _folder = new();

    public ElfFile(params string[] needed)
    {
        byte[] strings = Encoding.UTF8.GetBytes("\0" + string.Concat(needed.Select(name => name + "\0")));
        int dynamic = Header + 2 * Segment, table = dynamic + (needed.Length + 2) * Entry, size = table + strings.Length;
        byte[] bytes = new byte[size];
        void Put(int offset, long value) => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(offset), value);
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(bytes);
        Put(32, Header);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(54), Segment);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(56), 2);
        foreach (var (at, type, start, length) in new[] { (Header, 1, 0, size), (Header + Segment, 2, dynamic, table - dynamic) })
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), type);
            Put(at + 8, start);
            Put(at + 16, Address + start);
            Put(at + 32, length);
        }
        int name = 1, entry = dynamic;
        foreach (string library in needed)
        {
            Put(entry, 1);
            Put(entry + 8, name);
            (name, entry) = (name + library.Length + 1, entry + Entry);
        }
        Put(entry, 5);
        Put(entry + 8, Address + table);
        strings.CopyTo(bytes, table);
        File.WriteAllBytes(Path, bytes);
    }

    /// <summary>Named as ONNX Runtime's CUDA provider.</summary>
    public string Path => _folder["libonnxruntime_providers_cuda.so"];

    public string Folder => _folder.Path;

    public void Dispose() => _folder.Dispose();
}
