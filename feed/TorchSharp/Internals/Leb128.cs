// Integers of variable length, seven bits a byte, the least significant first.
namespace TorchSharp.Internals;

internal static class Leb128
{
    public static void Encode(this BinaryWriter writer, long value)
    {
        ulong rest = (ulong)value;
        for (; rest >= 0x80; rest >>= 7)
            writer.Write((byte)(rest | 0x80));
        writer.Write((byte)rest);
    }

    public static long Decode(this BinaryReader reader)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = reader.ReadByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return (long)value;
        }
        throw new InvalidDataException("A variable-length integer has more than ten bytes.");
    }
}
