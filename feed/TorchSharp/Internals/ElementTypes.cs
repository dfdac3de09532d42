// Which .NET type an element type is.
using static TorchSharp.torch;

namespace TorchSharp.Internals;

internal static class ElementTypes
{
    private static readonly Dictionary<Type, ScalarType> Types = new()
    {
        [typeof(bool)] = ScalarType.Bool,
        [typeof(byte)] = ScalarType.Byte,
        [typeof(sbyte)] = ScalarType.Int8,
        [typeof(short)] = ScalarType.Int16,
        [typeof(int)] = ScalarType.Int32,
        [typeof(long)] = ScalarType.Int64,
        [typeof(Half)] = ScalarType.Float16,
        [typeof(float)] = ScalarType.Float32,
        [typeof(double)] = ScalarType.Float64,
    };

    public static bool TryGet(Type type, out ScalarType result) => Types.TryGetValue(type, out result);

    public static ScalarType Of(Type type) =>
        Types.TryGetValue(type, out var result) ? result : throw new NotSupportedException($"The type {type.FullName} is not supported.");
}
