using System.Runtime.InteropServices;
using System.Text;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Says why CUDA cannot be used on this machine, before ONNX Runtime is asked, whose answer names no remedy.</summary>
internal static unsafe class CudaSupport
{
    private const string Provider = "libonnxruntime_providers_cuda.so", Status = "LatentMoE_CudaStatus";

    /// <summary>Whether the driver's library can be loaded.</summary>
    public static bool HasDriver { get; } = NativeLibrary.TryLoad("libcuda.so.1", out _);

    /// <summary>One line, or null where nothing is known to be missing.</summary>
    /// <param name="library">The operator library, if it is used: it knows which devices its kernels run on.</param>
    public static string? Missing(string? library) => MissingDriver(library) ?? MissingLibraries(OperatorLibrary.Folders);

    private static string? MissingDriver(string? library)
    {
        if (!HasDriver)
        {
            return "no NVIDIA driver is installed (libcuda.so.1 cannot be loaded)";
        }
        if (library is null || !NativeLibrary.TryLoad(library, out var handle) || !NativeLibrary.TryGetExport(handle, Status, out var address))
        {
            return null;
        }
        byte* text = stackalloc byte[1024];
        var status = (delegate* unmanaged[Cdecl]<byte*, nuint, int>)address;
        return status(text, 1024) == 0 ? null : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
    }

    /// <summary>Names what the provider, in one of the folders, needs and the loader does not find.</summary>
    internal static string? MissingLibraries(IReadOnlyList<string> folders)
    {
        string? provider = folders.Select(folder => Path.Combine(folder, Provider)).FirstOrDefault(File.Exists);
        if (provider is null)
        {
            return $"ONNX Runtime's {Provider} is in none of {string.Join(", ", folders)}: restore Microsoft.ML.OnnxRuntime.Gpu with its CUDA part";
        }
        // The provider's own companion is loaded by ONNX Runtime before it.
        string[] missing = [.. SharedObject.Dependencies(provider)
            .Where(name => !name.StartsWith("libonnxruntime", StringComparison.Ordinal) && !NativeLibrary.TryLoad(name, out _))];
        return missing.Length == 0 ? null
            : $"{string.Join(", ", missing)}, which ONNX Runtime's CUDA provider needs, cannot be loaded: install them, or add their folder to LD_LIBRARY_PATH";
    }
}
