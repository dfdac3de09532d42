using LatentMoE.Benchmarks.Limits;

namespace LatentMoE.Benchmarks.Tests.Limits;

public class LimitTests
{
    [Fact]
    public unsafe void ReadKernel_AddsUpAllOfTheMemory()
    {
        int[] values = [.. Enumerable.Range(1, 256)];
        fixed (int* memory = values)
        {
            Assert.Equal(256 * 257 / 2, ReadKernel.Run((byte*)memory, 1024));
        }
    }

    [Fact]
    public void MultiplyKernel_ComputesWhatItCounts()
    {
        // Each lane approaches 2, and a round is one multiply-add of each lane.
        Assert.Equal(MultiplyKernel.FlopsPerRound / 2 * 2f, MultiplyKernel.Run(40));
        Assert.Equal(MultiplyKernel.FlopsPerRound / 2 * 1.5f, MultiplyKernel.Run(1));
    }

    [Fact]
    public void BytesPerSecond_DependsOnTheWorkingSet()
    {
        var limits = new MachineLimits(20, 45, 250);
        Assert.Equal(20, limits.BytesPerSecond(100e6));
        Assert.Equal(45, limits.BytesPerSecond(16e6));
    }

    [Fact]
    public void Machine_ReadsModelAndInstructionSets()
    {
        string[] info = ["processor\t: 0", "model name\t: Some CPU @ 2.0GHz: X", "flags\t\t: fpu avx2 avx512f amx_tile avx512_vnni"];
        var machine = Machine.Of(info);
        Assert.Equal("Some CPU @ 2.0GHz: X", machine.Cpu);
        Assert.Equal("avx2 avx512f avx512_vnni amx_tile", machine.InstructionSets);
        Assert.True(machine.HasAmx);
        Assert.Equal("unknown", Machine.Of([]).Cpu);
    }
}
