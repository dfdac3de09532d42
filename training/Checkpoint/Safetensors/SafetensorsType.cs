namespace LatentMoE.Checkpoints;

/// <summary>
/// Element types of the safetensors format, under its own names. F8_E4M3 has a sign, four bits of exponent and three of mantissa, no
/// infinity (arXiv 2209.05433); F8_E8M0 is a power of two (OCP Microscaling Formats, version 1.0).
/// </summary>
public enum SafetensorsType { F64, F32, F16, BF16, F8_E4M3, F8_E8M0, I64, I32, I16, I8, U8, BOOL }

public static class SafetensorsTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 => 2,
        _ => 1,
    };
}
