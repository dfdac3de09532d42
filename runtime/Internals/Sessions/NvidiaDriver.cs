using System.Runtime.InteropServices;

namespace LatentMoE.Runtime.Internals.Sessions;

/// <summary>Whether the CUDA driver's library can be loaded.</summary>
internal static class NvidiaDriver
{
    public static bool IsPresent { get; } = NativeLibrary.TryLoad("libcuda.so.1", out _);
}
