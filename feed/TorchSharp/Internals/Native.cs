// All P/Invoke of the assembly. The struct layouts mirror native/torchshim.h.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp.Internals;

internal enum SlotKind
{
    None, Tensor, Int, Bool, Double, String, Device, Generator, IntList, TensorList, OptionalTensorList,
}

[StructLayout(LayoutKind.Sequential)]
internal struct Slot
{
    public long Value;
    public SlotKind Kind;
    public int Length;
}

[StructLayout(LayoutKind.Sequential)]
internal struct Description
{
    public long Numel, StorageOffset;
    public int Dim, ElementSize, DType, DeviceType, DeviceIndex, Contiguous, RequiresGrad, Leaf;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AdamWOptions
{
    public double Beta1, Beta2, Decay, RootCorrection, Epsilon, Step;
}

internal static unsafe partial class Native
{
    private const string Library = "TorchSharpShim";

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Load);

    /// <summary>Throws what the last native call of this thread reported, if its status says that it failed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(int status)
    {
        if (status != 0)
            Throw();
    }

    private static void Throw() => throw new ExternalException(Marshal.PtrToStringUTF8((IntPtr)ts_last_error()));

    private static IntPtr Load(string name, Assembly assembly, DllImportSearchPath? path)
    {
        try
        {
            return NativeLibrary.Load(name, assembly, path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException(
                $"lib{name}.so, or the libtorch that it was built with, cannot be loaded: {e.Message.Trim()}\n" +
                "Is libtorch gone or of another version (libtorch-dev, or the folder that LIBTORCH named)? " +
                "Install it, or set LIBTORCH to a libtorch 2.x distribution; then run the Restore target again, which builds the library anew. " +
                $"Is only lib{name}.so missing? Copy the program's folder whole, with runtimes/, or build again.", e);
        }
    }

    [LibraryImport(Library)]
    public static partial byte* ts_last_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ts_find_operator(string name, string overload, out IntPtr result);

    [LibraryImport(Library)]
    public static partial int ts_call(IntPtr op, Slot* arguments, int count, Slot* results, int capacity);

    [LibraryImport(Library)]
    public static partial void ts_free_list(long* handles);

    [LibraryImport(Library)]
    public static partial void ts_release(IntPtr handle);

    [LibraryImport(Library)]
    public static partial IntPtr ts_retain(IntPtr handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int ts_describe(IntPtr handle, Description* result);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int ts_sizes(IntPtr handle, long* sizes, long* strides);

    [LibraryImport(Library)]
    public static partial int ts_data(IntPtr handle, out IntPtr result);

    [LibraryImport(Library)]
    public static partial int ts_set_requires_grad(IntPtr handle, int value);

    [LibraryImport(Library)]
    public static partial int ts_retain_grad(IntPtr handle);

    [LibraryImport(Library)]
    public static partial int ts_grad(IntPtr handle, out IntPtr result);

    [LibraryImport(Library)]
    public static partial int ts_set_grad(IntPtr handle, IntPtr value);

    [LibraryImport(Library)]
    public static partial int ts_backward(IntPtr* tensors, int count, IntPtr* gradients, int gradientCount, int retainGraph,
        int createGraph, IntPtr* inputs, int inputCount);

    [LibraryImport(Library)]
    public static partial int ts_autograd_grad(IntPtr* outputs, int count, IntPtr* inputs, int inputCount, IntPtr* gradients,
        int gradientCount, int retainGraph, int createGraph, int allowUnused, IntPtr* results);

    [LibraryImport(Library)]
    public static partial int ts_grad_enabled();

    [LibraryImport(Library)]
    public static partial void ts_set_grad_enabled(int value);

    [LibraryImport(Library)]
    public static partial int ts_inference_mode_enabled();

    [LibraryImport(Library)]
    public static partial IntPtr ts_enter_inference_mode(int enabled);

    [LibraryImport(Library)]
    public static partial void ts_leave_inference_mode(IntPtr guard);

    [LibraryImport(Library)]
    public static partial int ts_default_generator(out IntPtr result);

    [LibraryImport(Library)]
    public static partial int ts_new_generator(long seed, out IntPtr result);

    [LibraryImport(Library)]
    public static partial void ts_release_generator(IntPtr handle);

    [LibraryImport(Library)]
    public static partial int ts_generator_seed(IntPtr handle, out long seed);

    [LibraryImport(Library)]
    public static partial int ts_set_generator_seed(IntPtr handle, long seed);

    [LibraryImport(Library)]
    public static partial int ts_generator_state(IntPtr handle, out IntPtr result);

    [LibraryImport(Library)]
    public static partial int ts_set_generator_state(IntPtr handle, IntPtr state);

    [LibraryImport(Library)]
    public static partial int ts_manual_seed(long seed);

    [LibraryImport(Library)]
    public static partial int ts_threads(int operation, int count, out int result);

    [LibraryImport(Library)]
    public static partial int ts_cuda_device_count(out int result);

    [LibraryImport(Library)]
    public static partial int ts_cuda_synchronize(int index);

    [LibraryImport(Library)]
    public static partial int ts_allow_tf32(int value, out int result);

    [LibraryImport(Library)]
    public static partial int ts_adamw(IntPtr* parameters, IntPtr* gradients, IntPtr* means, IntPtr* squares, int count,
        AdamWOptions* options);
}
