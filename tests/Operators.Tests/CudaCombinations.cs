using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>
/// What packages for a GPU hold: the type of activations, and the formats of weights beside it. All are served by the CUDA kernels, here
/// on the emulation; those with activations of 16 bits also by the CPU's kernels, which compute in float32.
/// </summary>
internal static class CudaCombinations
{
    private const string Cpu = "plain";

    private static readonly Dictionary<string, string[]> formats = new()
    {
        ["f32"] = ["f32", "bf16", "f16", "int8", "int4"], ["f16"] = ["f16", "int8", "int4"], ["bf16"] = ["bf16", "int8", "int4"],
    };

    /// <summary>Where kernels run, and the type of activations.</summary>
    public static TheoryData<string, string> Activations { get; } = Rows();

    /// <summary>The same with each format of weights.</summary>
    public static TheoryData<string, string, string> Weights { get; } = RowsWithWeights();

    public static DataType Type(string activations) => activations switch
    {
        "f32" => DataType.Float,
        "f16" => DataType.Float16,
        "bf16" => DataType.Bfloat16,
        _ => throw new ArgumentException($"no activations {activations}"),
    };

    /// <summary>How far two results may be apart, as a share of the range: some float32 sums, or a step or two of the type.</summary>
    public static double Limit(string activations) => activations switch { "f32" => 2e-5, "f16" => 2e-3, _ => 1.6e-2 };

    private static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        foreach (string activations in formats.Keys)
        {
            rows.Add(OperatorsLibrary.Emulated, activations);
            if (activations != "f32")
            {
                rows.Add(Cpu, activations);
            }
        }
        return rows;
    }

    private static TheoryData<string, string, string> RowsWithWeights()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (object[] row in Rows())
        {
            foreach (string format in formats[(string)row[1]])
            {
                rows.Add((string)row[0], (string)row[1], format);
            }
        }
        return rows;
    }
}
