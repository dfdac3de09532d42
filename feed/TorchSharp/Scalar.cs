// A number that an operator takes beside tensors: an integer, a floating-point number or a truth value, as libtorch keeps it.
using TorchSharp.Internals;

namespace TorchSharp;

public sealed class Scalar : IDisposable
{
    private Scalar(SlotKind kind, long bits)
    {
        Kind = kind;
        Bits = bits;
    }

    internal Scalar(Slot value)
        : this(value.Kind, value.Value) { }

    internal SlotKind Kind { get; }

    internal long Bits { get; }

    public torch.ScalarType Type => Kind switch
    {
        SlotKind.Bool => torch.ScalarType.Bool,
        SlotKind.Double => torch.ScalarType.Float64,
        _ => torch.ScalarType.Int64,
    };

    internal double Double => Kind == SlotKind.Double ? BitConverter.Int64BitsToDouble(Bits) : Bits;

    internal long Int64 => Kind == SlotKind.Double ? checked((long)Double) : Bits;

    public static implicit operator Scalar(byte value) => new(SlotKind.Int, value);

    public static implicit operator Scalar(sbyte value) => new(SlotKind.Int, value);

    public static implicit operator Scalar(short value) => new(SlotKind.Int, value);

    public static implicit operator Scalar(int value) => new(SlotKind.Int, value);

    public static implicit operator Scalar(long value) => new(SlotKind.Int, value);

    public static implicit operator Scalar(Half value) => (double)value;

    public static implicit operator Scalar(float value) => (double)value;

    public static implicit operator Scalar(double value) => new(SlotKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Scalar(bool value) => new(SlotKind.Bool, value ? 1 : 0);

    /// <summary>Does nothing: a scalar owns no native memory here.</summary>
    public void Dispose() { }
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;

    public static Scalar ToScalar(this sbyte value) => value;

    public static Scalar ToScalar(this short value) => value;

    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this Half value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this bool value) => value;

    public static Half ToHalf(this Scalar value) => (Half)value.Double;

    public static float ToSingle(this Scalar value) => (float)value.Double;

    public static double ToDouble(this Scalar value) => value.Double;

    public static sbyte ToSByte(this Scalar value) => checked((sbyte)value.Int64);

    public static byte ToByte(this Scalar value) => checked((byte)value.Int64);

    public static short ToInt16(this Scalar value) => checked((short)value.Int64);

    public static int ToInt32(this Scalar value) => checked((int)value.Int64);

    public static long ToInt64(this Scalar value) => value.Int64;

    public static bool ToBoolean(this Scalar value) => value.Double != 0;
}
