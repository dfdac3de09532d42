using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LatentMoE.Runtime.Internals.Serving;

/// <summary>Zeroed addresses that take memory only where they are written, page by page, and give it back on request.</summary>
internal sealed unsafe partial class ReservedMemory : IDisposable
{
    private const int ReadWrite = 1 | 2, PrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000, DoNotNeed = 4;
    private readonly nuint _length;
    private nint _start;

    /// <exception cref="OutOfMemoryException">There are not so many addresses left.</exception>
    public ReservedMemory(long bytes)
    {
        _length = (nuint)bytes;
        _start = Map(0, _length, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (_start == -1)
        {
            throw new OutOfMemoryException($"{bytes} bytes of cache cannot be reserved: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    public nint Start => _start;

    /// <summary>Gives back the whole pages of a range, which reads as zeros afterwards; what shares a page with its neighbours stays.</summary>
    public void Release(long offset, long bytes)
    {
        long page = Environment.SystemPageSize, first = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
        if (end > first && Advise(_start + (nint)first, (nuint)(end - first), DoNotNeed) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public void Dispose()
    {
        if (_start != 0)
        {
            _ = Unmap(_start, _length);
            _start = 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);
}
