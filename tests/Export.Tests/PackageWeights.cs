using System.Globalization;
using System.Runtime.InteropServices;
using LatentMoE.Checkpoints;
using LatentMoE.Export.Onnx;
using LatentMoE.Export.Package;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests;

/// <summary>
/// The weights of a package under their Hugging Face names, read from its files by the formats' description alone: the numbers that
/// any correct operator computes with.
/// </summary>
internal sealed class PackageWeights
{
    private readonly Dictionary<string, TensorProto> tensors;
    private readonly byte[] data;

    private PackageWeights(string package)
    {
        Model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(package, ModelFiles.Model)));
        tensors = Model.Graph.Initializer.ToDictionary(t => t.Name);
        data = File.ReadAllBytes(Path.Combine(package, ExternalData.FileName));
    }

    public ModelProto Model { get; }

    public static PackageWeights Open(string package) => new(package);

    public DataType Type(string name) => (DataType)tensors[name].DataType;

    public Dictionary<string, float[]> Values(ModelConfig config)
    {
        var weights = tensors.Keys.Where(name => name.StartsWith("model.", StringComparison.Ordinal) && !name.EndsWith("_scales", StringComparison.Ordinal))
            .Append("lm_head.weight").Where(tensors.ContainsKey).ToDictionary(name => name, Widen);
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.mlp.", s = p + "shared_experts.";
            if (weights.Remove(s + "gate_up_proj.weight", out float[]? both))
            {
                (weights[s + "gate_proj.weight"], weights[s + "up_proj.weight"]) = (both[..(both.Length / 2)], both[(both.Length / 2)..]);
            }
            if (weights.Remove(p + "experts.gate_up_proj", out float[]? stack) && weights.Remove(p + "experts.down_proj", out float[]? downs))
            {
                float[][] halves = [.. stack.Chunk(config.MoeIntermediateSize * config.HiddenSize)], back = [.. downs.Chunk(config.MoeIntermediateSize * config.HiddenSize)];
                for (int e = 0; e < config.NRoutedExperts; e++)
                {
                    (weights[$"{p}experts.{e}.gate_proj.weight"], weights[$"{p}experts.{e}.up_proj.weight"], weights[$"{p}experts.{e}.down_proj.weight"]) =
                        (halves[2 * e], halves[2 * e + 1], back[e]);
                }
            }
        }
        return weights;
    }

    private float[] Widen(string name) => Type(name) switch
    {
        DataType.Float => MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray(),
        DataType.Float16 => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Bytes(name)).ToArray(), v => (float)v),
        DataType.Bfloat16 => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(Bytes(name)).ToArray(), v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
        DataType.Int8 => Scale(name, [.. Bytes(name).ToArray().Select(b => (int)(sbyte)b)]),
        DataType.Uint8 => Scale(name, [.. Bytes(name).ToArray().SelectMany(b => new[] { (b & 15) - 8, (b >> 4) - 8 })]),
        var other => throw new InvalidOperationException($"{name} is {other}"),
    };

    private float[] Scale(string name, int[] numbers)
    {
        float[] scales = Widen(name + "_scales");
        int block = numbers.Length / scales.Length;
        return [.. numbers.Select((number, i) => number * scales[i / block])];
    }

    private ReadOnlySpan<byte> Bytes(string name)
    {
        var where = tensors[name].ExternalData.ToDictionary(e => e.Key, e => int.Parse(e.Value == ExternalData.FileName ? "0" : e.Value, CultureInfo.InvariantCulture));
        return data.AsSpan(where["offset"], where["length"]);
    }
}
