// One argument of an operator call. It keeps a reference to the object it stands for, so that nothing is collected in the call.
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchSharp.Internals;

internal readonly struct Arg
{
    private readonly object? _object;
    private readonly long _value;

    private Arg(SlotKind kind, long value, object? keepAlive = null)
    {
        Kind = kind;
        _value = value;
        _object = keepAlive;
    }

    public SlotKind Kind { get; }

    /// <summary>The object to keep alive across the call, if any.</summary>
    public object? KeepAlive => _object;

    /// <summary>The number of 64-bit words that a list or string takes beside its slot; 0 for the others.</summary>
    public int Words => Kind switch
    {
        SlotKind.String => (Unsafe.As<byte[]>(_object!).Length + 7) / 8,
        >= SlotKind.IntList => Unsafe.As<Array>(_object!).Length,
        _ => 0,
    };

    public static implicit operator Arg(Tensor? tensor) => tensor is null ? default : new(SlotKind.Tensor, tensor.Handle, tensor);

    public static implicit operator Arg(long value) => new(SlotKind.Int, value);

    public static implicit operator Arg(long? value) => value is { } number ? number : default(Arg);

    public static implicit operator Arg(double value) => new(SlotKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Arg(double? value) => value is { } number ? number : default(Arg);

    public static implicit operator Arg(bool value) => new(SlotKind.Bool, value ? 1 : 0);

    public static implicit operator Arg(Scalar? scalar) => scalar is null ? default : new(scalar.Kind, scalar.Bits);

    public static implicit operator Arg(ScalarType type) => new(SlotKind.Int, (long)type);

    public static implicit operator Arg(ScalarType? type) => type is { } value ? value : default(Arg);

    public static implicit operator Arg(Device? device) =>
        device is null ? default : new(SlotKind.Device, ((long)device.type << 32) | (uint)device.index);

    public static implicit operator Arg(Generator? generator) =>
        generator is null ? default : new(SlotKind.Generator, generator.Handle, generator);

    public static implicit operator Arg(string? text) =>
        text is null ? default : new(SlotKind.String, 0, System.Text.Encoding.UTF8.GetBytes(text));

    public static implicit operator Arg(long[]? values) => values is null ? default : new(SlotKind.IntList, 0, values);

    public static implicit operator Arg(Tensor[] tensors) => new(SlotKind.TensorList, 0, tensors);

    /// <summary>A list whose null entries mean "every index of this dimension", as advanced indexing takes it.</summary>
    public static Arg OptionalTensors(Tensor?[] tensors) => new(SlotKind.OptionalTensorList, 0, tensors);

    /// <summary>The argument as the shim reads it; a list's or string's words go to memory that must not move.</summary>
    public unsafe Slot ToSlot(long* words)
    {
        int length;
        switch (Kind)
        {
            case SlotKind.String:
                var text = Unsafe.As<byte[]>(_object!);
                text.CopyTo(new Span<byte>(words, length = text.Length));
                break;
            case SlotKind.IntList:
                var values = Unsafe.As<long[]>(_object!);
                values.CopyTo(new Span<long>(words, length = values.Length));
                break;
            case SlotKind.TensorList or SlotKind.OptionalTensorList:
                var tensors = Unsafe.As<Tensor?[]>(_object!);
                length = tensors.Length;
                for (int i = 0; i < length; i++)
                    words[i] = tensors[i] is { } tensor ? tensor.Handle : 0;
                break;
            default:
                return new Slot { Kind = Kind, Value = _value };
        }
        return new Slot { Kind = Kind, Value = (long)words, Length = length };
    }
}
