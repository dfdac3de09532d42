using System.Globalization;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

internal sealed partial class OnnxGraphReader
{
    private const uint TensorDims = 1, TensorType = 2, TensorFloats = 4, TensorInt32s = 5, TensorStrings = 6, TensorInt64s = 7, TensorName = 8, TensorRaw = 9;
    private const uint TensorDoubles = 10, TensorUInt64s = 11, TensorExternal = 13, TensorLocation = 14;
    private const uint EntryKey = 1, EntryValue = 2;
    private const int LocatedOutside = 1;

    private OnnxTensor ReadTensor()
    {
        string name = "";
        var type = TensorElementType.DataTypeMax;
        List<long> dims = [];
        Dictionary<string, string> entries = [];
        long inline = 0;
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
                    inline += Skip();
                    return true;
                case (TensorExternal, Delimited):
                    var (key, value) = ReadEntry();
                    entries[key] = value;
                    return true;
                case (TensorLocation, Varint):
                    outside = input.ReadInt32() == LocatedOutside;
                    return true;
                default:
                    return false;
            }
        });
        return new OnnxTensor(name, type, dims, Elements(name, dims), outside ? External(name, entries) : null, inline);
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
        bool plain = file is not ("" or "." or "..") && Path.GetFileName(file) == file && !file.Contains('\0');
        Require(plain, $"the weights of {tensor} are in \"{file}\"; expected a file name without a folder.");
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
