// Calls of ATen operators by schema name ("add.Tensor"). Arguments missing at the end take the schema's defaults.
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchSharp.Internals;

internal static unsafe class Aten
{
    private const int StackWords = 128;

    private static readonly ConcurrentDictionary<string, IntPtr> Operators = new(StringComparer.Ordinal);

    public static Tensor Call(string name, params ReadOnlySpan<Arg> arguments)
    {
        Slot result = default;
        Invoke(name, arguments, &result, 1);
        return new Tensor((IntPtr)result.Value);
    }

    public static (Tensor, Tensor) Call2(string name, params ReadOnlySpan<Arg> arguments)
    {
        Slot* results = stackalloc Slot[2];
        Invoke(name, arguments, results, 2);
        return (new Tensor((IntPtr)results[0].Value), new Tensor((IntPtr)results[1].Value));
    }

    public static (Tensor, Tensor, Tensor) Call3(string name, params ReadOnlySpan<Arg> arguments)
    {
        Slot* results = stackalloc Slot[3];
        Invoke(name, arguments, results, 3);
        return (new Tensor((IntPtr)results[0].Value), new Tensor((IntPtr)results[1].Value), new Tensor((IntPtr)results[2].Value));
    }

    public static Tensor[] CallList(string name, params ReadOnlySpan<Arg> arguments)
    {
        Slot result = default;
        Invoke(name, arguments, &result, 1);
        var handles = (long*)result.Value;
        var tensors = new Tensor[result.Length];
        for (int i = 0; i < tensors.Length; i++)
            tensors[i] = new Tensor((IntPtr)handles[i]);
        Native.ts_free_list(handles);
        return tensors;
    }

    /// <summary>A call whose results are dropped: an in-place operator returns its own argument.</summary>
    public static void Do(string name, params ReadOnlySpan<Arg> arguments) => Invoke(name, arguments, null, 0);

    /// <summary>A call that yields a number or a truth value.</summary>
    public static Slot Value(string name, params ReadOnlySpan<Arg> arguments)
    {
        Slot result = default;
        Invoke(name, arguments, &result, 1);
        return result;
    }

    public static bool Truth(string name, params ReadOnlySpan<Arg> arguments) => Value(name, arguments).Value != 0;

    [SkipLocalsInit]
    private static void Invoke(string name, ReadOnlySpan<Arg> arguments, Slot* results, int capacity)
    {
        int words = 0;
        foreach (ref readonly var argument in arguments)
            words += argument.Words;
        Slot* slots = stackalloc Slot[arguments.Length];
        long* local = stackalloc long[StackWords];
        long* next = words <= StackWords ? local : (long*)NativeMemory.Alloc((nuint)words, sizeof(long));
        long* allocated = next == local ? null : next;
        try
        {
            for (int i = 0; i < arguments.Length; i++)
            {
                slots[i] = arguments[i].ToSlot(next);
                next += arguments[i].Words;
            }
            Native.Check(Native.ts_call(Find(name), slots, arguments.Length, results, capacity));
        }
        finally
        {
            NativeMemory.Free(allocated);
            foreach (ref readonly var argument in arguments)
                GC.KeepAlive(argument.KeepAlive);
        }
    }

    private static IntPtr Find(string name) => Operators.TryGetValue(name, out var op) ? op : Resolve(name);

    private static IntPtr Resolve(string name)
    {
        int dot = name.IndexOf('.');
        var (basename, overload) = dot < 0 ? (name, "") : (name[..dot], name[(dot + 1)..]);
        Native.Check(Native.ts_find_operator("aten::" + basename, overload, out var op));
        return Operators.GetOrAdd(name, op);
    }
}
