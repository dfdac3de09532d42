using System.Runtime.InteropServices;
using LatentMoE.Export.Formats;
using LatentMoE.Tests.Support;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Tests.Operators;

/// <summary>Inputs in a type of activations, and how near to the unrounded result an output of that type comes.</summary>
internal sealed class Activations
{
    private Activations(DataType type, double limit) => (Type, Limit) = (type, limit);

    /// <summary>The types that are not float32.</summary>
    public static TheoryData<string> Narrow => ["f16", "bf16"];

    public DataType Type { get; }

    /// <summary>Half a unit in the last place of the largest output, as a share of the range, and what float32 sums leave.</summary>
    public double Limit { get; }

    public static Activations Named(string name) => name switch
    {
        "f16" => new(DataType.Float16, 1.0 / (1 << 11) + 2e-6),
        "bf16" => new(DataType.Bfloat16, 1.0 / (1 << 8) + 2e-6),
        _ => throw new ArgumentException($"no activations {name}"),
    };

    /// <summary>Values as this type holds them, widened again.</summary>
    public float[] Round(float[] values)
    {
        var format = Type == DataType.Float16 ? WeightFormat.Float16 : WeightFormat.BFloat16;
        return values.Length == 0 ? values : format.Decode(format.Encode(new WeightRows("x", 0, values)));
    }

    /// <summary>Values that this type holds exactly.</summary>
    public OperatorRunner.Input Input(float[] values, params long[] shape) => new(Type == DataType.Float16
        ? Array.ConvertAll(values, v => (Float16)v)
        : Array.ConvertAll(values, v => new BFloat16((ushort)(BitConverter.SingleToUInt32Bits(v) >> 16))), shape);
}
