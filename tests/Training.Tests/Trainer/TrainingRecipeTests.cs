using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;
using TorchSharp;

namespace LatentMoE.Training.Tests.Trainer;

public class TrainingRecipeTests
{
    [Theory]
    [InlineData(true, 0.1, true, false)]
    [InlineData(true, 0.1, false, true)]
    [InlineData(true, 0, true, true)]
    [InlineData(false, 0.1, true, true)]
    public void RequireOn_RefusesDropoutThatCannotBeDrawnAgain(bool checkpointing, double dropout, bool cuda, bool allowed)
    {
        var recipe = new TrainingRecipe { GradientCheckpointing = checkpointing, Dropout = dropout };
        var device = new ComputeDevice(new torch.Device(cuda ? DeviceType.CUDA : DeviceType.CPU), torch.ScalarType.Float32);
        if (allowed)
        {
            recipe.RequireOn(device);
            return;
        }
        Assert.Contains("training.dropout is 0.1 with gradient_checkpointing on CUDA", Assert.Throws<CheckpointException>(() => recipe.RequireOn(device)).Message);
    }
}
