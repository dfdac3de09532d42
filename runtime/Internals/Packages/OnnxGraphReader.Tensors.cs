using System.Globalization;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

internal sealed partial class OnnxGraphReader
{
    private const uint TensorDims = 1, TensorType = 2, TensorFloats = 4, TensorInt32s = 5, TensorStrings = 6, TensorInt64s = 7, TensorName = 8, TensorRaw = 9;
    private const uint TensorDoubles = 10, TensorUInt64s = 11, TensorExternal = 13, TensorLocation = 14;
    private const uint EntryKey = 1, EntryValue = 2;
    private const uint Fixed64 = 1;
    private const int LocatedOutside = 1;

    private OnnxTensor ReadTensor()
    {
        string name = "";
        var type = TensorElementType.DataTypeMax;
        List<long> dims = [];
        Dictionary<string, string> entries = [];
        long inline = 0;
        long raw = 0, held = 0; // bytes as in memory, and the most elements that the lists of numbers can have
        bool outside = false;
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (TensorDims, Varint):
                    dims.Add(input.ReadInt64());
                    return true;
                case (TensorDims, Delimited):
                    Packed(() => dims.Add(input.ReadInt64()));
                    return true;
                case (TensorType, Varint):
                    type = (TensorElementType)input.ReadInt32();
                    return true;
                case (TensorName, Delimited):
                    name = input.ReadString();
                    return true;
                case (TensorRaw or TensorFloats or TensorInt32s or TensorInt64s or TensorDoubles or TensorUInt64s or TensorStrings, Delimited):
                    long bytes = Skip();
                    inline += bytes;
                    held += field switch { TensorRaw => 0, TensorFloats => bytes / 4, TensorDoubles => bytes / 8, TensorStrings => 1, _ => bytes };
                    raw += field == TensorRaw ? bytes : 0;
                    return true;
                case (TensorFloats, Fixed32) or (TensorDoubles, Fixed64) or (TensorInt32s or TensorInt64s or TensorUInt64s, Varint): // one number
                    long start = input.Position;
                    input.SkipLastField();
                    inline += input.Position - start;
                    held++;
                    return true;
                case (TensorExternal, Delimited):
                    var (key, value) = ReadEntry();
                    Require(key != "location" || IsPlain(value), Elsewhere(name, value)); // ONNX Runtime may merge it into a tensor that lies outside
                    entries[key] = value;
                    return true;
                case (TensorLocation, Varint):
                    outside = input.ReadInt32() == LocatedOutside;
                    return true;
                default:
                    return false;
            }
        });
        var external = outside ? External(name, entries) : null;
        long elements = Elements(name, dims);
        RequireRoom(name, type, elements, external is null ? raw : external.Length, external is null ? held : 0);
        return new OnnxTensor(name, type, dims, elements, external, inline);
    }

    private (string Key, string Value) ReadEntry()
    {
        var (key, value) = ("", "");
        Message((field, wire) =>
        {
            switch (field, wire)
            {
                case (EntryKey, Delimited):
                    key = input.ReadString();
                    return true;
                case (EntryValue, Delimited):
                    value = input.ReadString();
                    return true;
                default:
                    return false;
            }
        });
        return (key, value);
    }

    // ONNX Runtime opens what a model names; a package's weights lie beside it and nowhere else.
    private static OnnxExternalData External(string tensor, Dictionary<string, string> entries)
    {
        string file = entries.GetValueOrDefault("location", "");
        Require(IsPlain(file), Elsewhere(tensor, file));
        return new OnnxExternalData(file, Number("offset") ?? 0, Number("length"));

        long? Number(string key)
        {
            if (!entries.TryGetValue(key, out string? text))
            {
                return null;
            }
            bool ok = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
            Require(ok, $"the {key} of {tensor} in {file} is \"{text}\"; expected a whole number.");
            return number;
        }
    }

    private static bool IsPlain(string file) => file is not ("" or "." or "..") && Path.GetFileName(file) == file && !file.Contains('\0');

    private static string Elsewhere(string tensor, string file) => $"the weights of {tensor} are in \"{file}\"; expected a file name without a folder.";

    // Without a length in the file, what the shape says is what RequireWeights looks for.
    private static void RequireRoom(string tensor, TensorElementType type, long elements, long? bytes, long listed)
    {
        bool fits = bytes is not long room || elements <= ((Int128)room / GraphSize.ElementBytes(type) + listed) * GraphSize.PerByte(type);
        Require(fits, $"{tensor} has {elements} elements of type {type}, more than its bytes hold.");
    }

    private static long Elements(string tensor, List<long> dims)
    {
        Int128 product = 1;
        foreach (long extent in dims)
        {
            Require(extent >= 0, $"{tensor} has the shape [{string.Join(", ", dims)}]; expected no negative extent.");
            product *= extent;
            Require(product <= long.MaxValue, $"{tensor} has the shape [{string.Join(", ", dims)}], more elements than there can be.");
        }
        return (long)product;
    }

    // Passes over bytes and says how many they were.
    private long Skip()
    {
        long start = input.Position;
        input.SkipLastField();
        long all = input.Position - start;
        int prefix = 1;
        while (CodedOutputStream.ComputeLengthSize((int)(all - prefix)) > prefix)
        {
            prefix++;
        }
        return all - prefix;
    }
}
