using LatentMoE.Checkpoints;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Trainer;

[Collection(TorchCollection.Name)]
public sealed class TrainerStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("latentmoe-state-").FullName;

    private string StatePath => Path.Combine(_folder, "state.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TrainingLoop Create(TrainingRecipe recipe, string twin, long seed)
    {
        var model = Models.Create(Models.Of(twin), seed, dropout: recipe.Dropout);
        return new TrainingLoop(model, recipe, Models.Source(), Models.Cpu);
    }

    [Theory]
    [InlineData(Twin.MlaMoE, 1, 0.0)]
    [InlineData(Twin.MlaMoE, 3, 0.1)]
    [InlineData(Twin.MhaDense, 2, 0.1)]
    public void Load_GoesOnBitForBit(string twin, int accumulation, double dropout)
    {
        using var scope = NewDisposeScope();
        var recipe = new TrainingRecipe { Batch = 2, Accumulation = accumulation, Sequence = 8, Steps = 12, LearningRate = 1e-2, WarmupSteps = 3, Dropout = dropout };
        using var straight = Create(recipe, twin, seed: 1);
        while (straight.Step < 5)
        {
            straight.Advance();
        }
        TrainerState.Save(straight, StatePath);
        var losses = Enumerable.Range(0, 7).Select(_ => straight.Advance().Loss).ToList();

        using var resumed = Create(recipe, twin, seed: 99); // other weights and another random state
        TrainerState.Load(resumed, StatePath);
        Assert.Equal(5, resumed.Step);
        Assert.Equal(losses, Enumerable.Range(0, 7).Select(_ => resumed.Advance().Loss));
        foreach (var ((name, a), (_, b)) in straight.Model.named_parameters().Zip(resumed.Model.named_parameters()))
        {
            Models.AssertClose(name, a, b, 0);
        }
        foreach (var ((layer, a), (_, b)) in straight.Model.Mixtures.Zip(resumed.Model.Mixtures))
        {
            Models.AssertClose($"router bias of layer {layer}", a.Gate.Bias, b.Gate.Bias, 0);
        }
    }

    [Fact]
    public void Load_RefusesAStateOfAnotherModel()
    {
        var recipe = new TrainingRecipe { Batch = 2, Sequence = 8, Steps = 4, WarmupSteps = 1 };
        using var latent = Create(recipe, Twin.MlaMoE, 1);
        latent.Advance();
        TrainerState.Save(latent, StatePath);
        using var multiHead = Create(recipe, Twin.MhaMoE, 1);
        Assert.Contains(StatePath, Assert.Throws<CheckpointException>(() => TrainerState.Load(multiHead, StatePath)).Message);
    }

    [Theory]
    [InlineData("counters")]
    [InlineData("adamw/step")]
    [InlineData("random/cpu")]
    public void Load_RefusesAnotherType(string name)
    {
        using var loop = Create(new TrainingRecipe { Batch = 2, Sequence = 8, Steps = 4, WarmupSteps = 1 }, Twin.MlaMoE, 1);
        loop.Advance();
        TrainerState.Save(loop, StatePath);
        string changed = Path.Combine(_folder, "changed.safetensors");
        using (var file = SafetensorsFile.Open(StatePath))
        {
            SafetensorsWriter.Write(changed, file.Tensors.Select(t => t.Name == name ? SafetensorsEntry.Of(name, [.. t.Shape], new float[t.Length])
                : new SafetensorsEntry(t.Name, t.DType, [.. t.Shape], t.CopyTo)), null);
        }
        Assert.Contains($"tensor {name} is F32", Assert.Throws<CheckpointException>(() => TrainerState.Load(loop, changed)).Message);
    }

    [Fact]
    public void Load_RefusesATruncatedFile()
    {
        var recipe = new TrainingRecipe { Batch = 2, Sequence = 8, Steps = 4, WarmupSteps = 1 };
        using var loop = Create(recipe, Twin.MlaMoE, 1);
        loop.Advance();
        TrainerState.Save(loop, StatePath);
        File.WriteAllBytes(StatePath, File.ReadAllBytes(StatePath)[..^100]);
        Assert.Throws<CheckpointException>(() => TrainerState.Load(loop, StatePath));
    }
}
