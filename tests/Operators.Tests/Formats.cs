using LatentMoE.Export.Formats;

namespace LatentMoE.Operators.Tests;

/// <summary>The formats of weights by name.</summary>
internal static class Formats
{
    public static TheoryData<string> Float { get; } = new("f32", "f16", "bf16");

    public static TheoryData<string> All { get; } = new("f32", "f16", "bf16", "int8", "int4");

    /// <param name="widths">Of the rows of all matrices of the operator.</param>
    public static WeightFormat Of(string name, params int[] widths)
    {
        int block = widths.All(width => width % 32 == 0) ? 32 : 16;
        return name switch
        {
            "f32" => WeightFormat.Float32,
            "f16" => WeightFormat.Float16,
            "bf16" => WeightFormat.BFloat16,
            "int8" => new Int8Format(block),
            "int4" => new Int4Format(block),
            _ => throw new ArgumentException($"no format {name}"),
        };
    }

    public static bool Quantised(string name) => name.StartsWith("int", StringComparison.Ordinal);
}
