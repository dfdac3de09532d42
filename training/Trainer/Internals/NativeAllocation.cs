using System.Runtime.InteropServices;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// glibc returns every large block to the kernel when it is freed, and a step frees hundreds: the next step's tensors then wait
/// for the kernel to clear their pages, which took most of a step's time. Kept in the heap instead, the same blocks serve every step.
/// </summary>
internal static partial class NativeAllocation
{
    // malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
    private const int TrimThreshold = -1, TopPad = -2, MapsMax = -4;
    private const int Growth = 64 << 20;

    /// <summary>To be called before the first tensor. The user's own settings (glibc's <c>MALLOC_*</c> variables, another allocator) stand.</summary>
    public static void Keep()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(IsSetting))
        {
            return;
        }
        try
        {
            _ = SetOption(MapsMax, 0);
            _ = SetOption(TrimThreshold, int.MaxValue);
            _ = SetOption(TopPad, Growth);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc (musl has no such options): only slower.
        }
    }

    private static bool IsSetting(string variable) =>
        variable is "LD_PRELOAD" or "GLIBC_TUNABLES" || (variable.StartsWith("MALLOC_", StringComparison.Ordinal) && variable.EndsWith('_'));

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
