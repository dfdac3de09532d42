using LatentMoE.Export.Formats;

namespace LatentMoE.Export.Tests.Operators;

/// <summary>Every format that weights are stored in, for rows of any multiple of 32 elements.</summary>
public static class StoredFormats
{
    public static TheoryData<string> All => ["f32", "f16", "bf16", "int8", "int4", "int8 in 16", "int4 in 16"];

    internal static WeightFormat Named(string name) => name switch
    {
        "f32" => WeightFormat.Float32,
        "f16" => WeightFormat.Float16,
        "bf16" => WeightFormat.BFloat16,
        "int8" => new Int8Format(32),
        "int4" => new Int4Format(32),
        "int8 in 16" => new Int8Format(16),
        "int4 in 16" => new Int4Format(16),
        _ => throw new ArgumentException($"no format {name}"),
    };
}
