using System.Text;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>Writes one message of the ONNX schema in protobuf's encoding (protobuf.dev/programming-guides/encoding).</summary>
internal sealed class OnnxMessage
{
    private const int Varint = 0, Length = 2;
    private readonly MemoryStream _bytes = new();

    public OnnxMessage Add(int field, long value)
    {
        Number((ulong)field << 3 | Varint);
        Number((ulong)value);
        return this;
    }

    public OnnxMessage Add(int field, string text) => Add(field, Encoding.UTF8.GetBytes(text));

    public OnnxMessage Add(int field, OnnxMessage message) => Add(field, message.ToArray());

    public byte[] ToArray() => _bytes.ToArray();

    private OnnxMessage Add(int field, ReadOnlySpan<byte> bytes)
    {
        Number((ulong)field << 3 | Length);
        Number((ulong)bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    private void Number(ulong value)
    {
        for (; value > 0x7F; value >>= 7)
        {
            _bytes.WriteByte((byte)(value | 0x80));
        }
        _bytes.WriteByte((byte)value);
    }
}
