using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LatentMoE.Benchmarks.Limits;

/// <summary>Measures <see cref="MachineLimits"/>: the best of several passes, on threads of its own.</summary>
internal sealed unsafe class LimitMeter : ILimitMeter
{
    private const nuint Large = 512u << 20, Small = 16u << 20;
    private const int LargePasses = 4, SmallPasses = 5, SmallRepeats = 16, FlopPasses = 5;
    private const long FlopRounds = 2_000_000;
    private readonly int threads;
    private readonly byte* memory;
    private readonly float[] sums;

    public LimitMeter(int threads)
    {
        this.threads = threads;
        sums = new float[threads];
        memory = (byte*)NativeMemory.AlignedAlloc(Large, 4096);
        new Span<byte>(memory, checked((int)Large)).Fill(1); // pages that were never written would all be one
        _ = Measure("f32"); // compiles
    }

    /// <summary>Of float32 arithmetic: operators compute in it on a CPU, whatever the type of the activations.</summary>
    public MachineLimits Measure(string activations) => new(
        Best(LargePasses, () => Read(Large, 1)), Best(SmallPasses, () => Read(Small, SmallRepeats)), Best(FlopPasses, Multiply));

    MachineLimits? ILimitMeter.Measure(string activations) => Measure(activations);

    public void Dispose() => NativeMemory.AlignedFree(memory);

    // Bytes a second.
    private double Read(nuint size, int repeats)
    {
        nuint part = size / (nuint)threads / ReadKernel.Stride * ReadKernel.Stride;
        double seconds = Time(thread =>
        {
            for (int i = 0; i < repeats; i++)
            {
                sums[thread] += ReadKernel.Run(memory + (nuint)thread * part, part);
            }
        });
        return (double)part * threads * repeats / seconds;
    }

    // Operations a second.
    private double Multiply()
    {
        double seconds = Time(thread => sums[thread] += MultiplyKernel.Run(FlopRounds));
        return (double)FlopRounds * MultiplyKernel.FlopsPerRound * threads / seconds;
    }

    private static double Best(int passes, Func<double> pass) => Enumerable.Range(0, passes).Max(_ => pass());

    // Seconds from the moment when all threads stand ready.
    private double Time(Action<int> work)
    {
        using var ready = new Barrier(threads + 1);
        var all = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            int index = i;
            all[i] = new Thread(() =>
            {
                ready.SignalAndWait();
                work(index);
            });
            all[i].Start();
        }
        ready.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        foreach (var thread in all)
        {
            thread.Join();
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
