using LatentMoE.Checkpoints;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;

namespace LatentMoE.Training.Tests.Trainer;

/// <summary>Memory over many steps: 300 of them in Test, 2,000 in Soak.</summary>
[Collection(TorchCollection.Name)]
[Trait("Category", "Soak")]
public class TrainingLeakTests
{
    private const int Warm = 60;
    private const long ManagedSlack = 1 << 20, ResidentSlack = 24 << 20;

    private static int Steps => Environment.GetEnvironmentVariable("LATENTMOE_SOAK") is null ? 300 : 2000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Advance_MemoryIsFlat(bool checkpointing)
    {
        var recipe = new TrainingRecipe { Batch = 4, Sequence = 8, Accumulation = 2, Steps = Warm + Steps, LearningRate = 1e-3, Dropout = 0.1, GradientCheckpointing = checkpointing };
        using var loop = new TrainingLoop(Models.Create(Models.Of(Twin.MlaMoE), dropout: 0.1), recipe, Models.Source(), Models.Cpu);
        void Advance(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                loop.Advance();
            }
        }
        Advance(Warm);
        var (tensors, managed, resident) = Memory();
        Advance(Steps);
        var after = Memory();
        Assert.Equal(tensors, after.Tensors);
        Assert.True(after.Managed < managed + ManagedSlack, $"managed memory grew from {managed:N0} to {after.Managed:N0} bytes in {Steps} steps");
        Assert.True(after.Resident < resident + ResidentSlack, $"resident memory grew from {resident:N0} to {after.Resident:N0} bytes in {Steps} steps");
    }

    private static (long Tensors, long Managed, long Resident) Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return (torch.Tensor.TotalCount, GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
    }
}
