using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Formats;

/// <summary>The names of float types on the command line and in package files.</summary>
internal static class FloatTypes
{
    public static IReadOnlyList<string> Names { get; } = ["f32", "f16", "bf16"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    public static DataType Of(string name) => name switch
    {
        "f32" => DataType.Float,
        "f16" => DataType.Float16,
        "bf16" => DataType.Bfloat16,
        _ => throw new ArgumentException($"there is no float type {name}"),
    };

    public static string NameOf(DataType type) => Names.First(name => Of(name) == type);
}
