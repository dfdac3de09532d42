namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>The operator sets that an ONNX model imports, read without its graph. A damaged file imports nothing: ONNX Runtime says what is wrong.</summary>
internal static class OperatorSets
{
    // Field numbers of ModelProto and OperatorSetIdProto, and wire types (protobuf.dev/programming-guides/encoding).
    private const int OpsetImport = 8, Domain = 1, Version = 2;
    private const int Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5;

    /// <summary>The version of a domain, 0 where the model does not import it.</summary>
    public static long VersionOf(string domain, string model)
    {
        using var file = new BinaryReader(File.OpenRead(model));
        long found = 0;
        Fields(file, field =>
        {
            if (field != OpsetImport)
            {
                return false;
            }
            var (name, version) = Import(file.ReadBytes(checked((int)file.Read7BitEncodedInt64())));
            found = name == domain ? version : found;
            return true;
        });
        return found;
    }

    private static (string Domain, long Version) Import(byte[] bytes)
    {
        using var import = new BinaryReader(new MemoryStream(bytes));
        var (name, version) = ("", 0L);
        Fields(import, field =>
        {
            switch (field)
            {
                case Domain:
                    name = import.ReadString();
                    return true;
                case Version:
                    version = import.Read7BitEncodedInt64();
                    return true;
                default:
                    return false;
            }
        });
        return (name, version);
    }

    // Goes over a message; what the callback does not take is skipped.
    private static void Fields(BinaryReader message, Func<int, bool> take)
    {
        var stream = message.BaseStream;
        try
        {
            while (stream.Position < stream.Length)
            {
                int tag = message.Read7BitEncodedInt();
                if (take(tag >> 3))
                {
                    continue;
                }
                switch (tag & 7)
                {
                    case Varint:
                        message.Read7BitEncodedInt64();
                        break;
                    case Fixed64:
                        stream.Position += 8;
                        break;
                    case Length:
                        long size = message.Read7BitEncodedInt64();
                        stream.Position += Math.Max(size, 0); // never back
                        break;
                    case Fixed32:
                        stream.Position += 4;
                        break;
                    default:
                        return;
                }
            }
        }
        catch (Exception e) when (e is FormatException or IOException or OverflowException or ArgumentException)
        {
            // Not a message: nothing more is found.
        }
    }
}
