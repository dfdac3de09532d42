using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LatentMoE.Benchmarks.Limits;

/// <summary>Reads memory once, in the machine's widest registers, into four sums so that no addition waits for another.</summary>
internal static unsafe class ReadKernel
{
    public const uint Stride = 256;

    public static float Run(byte* memory, nuint size) => Vector512.IsHardwareAccelerated ? Wide(memory, size) : Narrow(memory, size);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Wide(byte* memory, nuint size)
    {
        Vector512<int> a = default, b = default, c = default, d = default;
        for (byte* end = memory + size; memory < end; memory += Stride)
        {
            a += Vector512.Load((int*)memory);
            b += Vector512.Load((int*)(memory + 64));
            c += Vector512.Load((int*)(memory + 128));
            d += Vector512.Load((int*)(memory + 192));
        }
        return Vector512.Sum(a + b + (c + d));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Narrow(byte* memory, nuint size)
    {
        Vector256<int> a = default, b = default, c = default, d = default;
        for (byte* end = memory + size; memory < end; memory += Stride / 2)
        {
            a += Vector256.Load((int*)memory);
            b += Vector256.Load((int*)(memory + 32));
            c += Vector256.Load((int*)(memory + 64));
            d += Vector256.Load((int*)(memory + 96));
        }
        return Vector256.Sum(a + b + (c + d));
    }
}
