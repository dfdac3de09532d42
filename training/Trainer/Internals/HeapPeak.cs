using System.Runtime.InteropServices;

namespace LatentMoE.Training.Trainer;

/// <summary>What native code has allocated, as glibc counts it: unlike resident memory, it does not count blocks that were freed and kept.</summary>
internal static partial class HeapPeak
{
    /// <summary>The most that was allocated while <paramref name="action"/> ran, beyond what was before; looked at every millisecond.</summary>
    public static long? Of(Action action)
    {
        if (!OperatingSystem.IsLinux() || Allocated() is not long before)
        {
            return null;
        }
        long peak = before;
        bool done = false;
        var watcher = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                peak = Math.Max(peak, Allocated() ?? 0);
                Thread.Sleep(1);
            }
        });
        watcher.Start();
        try
        {
            action();
        }
        finally
        {
            Volatile.Write(ref done, true);
            watcher.Join();
        }
        return peak - before;
    }

    // Null before glibc 2.33.
    private static long? Allocated()
    {
        try
        {
            var info = GetInfo();
            return (long)(info.Used + info.Mapped);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    // struct mallinfo2 of malloc.h
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Info
    {
        public readonly nuint Arena, FreeChunks, FastChunks, MappedChunks, Mapped, MostUsed, FreeFast, Used, Free, Releasable;
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial Info GetInfo();
}
