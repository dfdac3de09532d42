using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support.Field;
using LatentMoE.Training.Tests.Model;
using LatentMoE.Training.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Tests.Trainer;

/// <summary>Checkpoints that others trained, in the trainer's own model, beside a reference that shares no code with it.</summary>
[Collection(TorchCollection.Name)]
public sealed class FieldCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("latentmoe-field-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string, SafetensorsType, int> Forms => new()
    {
        { FieldConfigs.V2Lite, SafetensorsType.BF16, 3 },
        { FieldConfigs.V2, SafetensorsType.F16, 1 },
        { FieldConfigs.V3, SafetensorsType.BF16, 2 },
        { FieldConfigs.Tied, SafetensorsType.F16, 1 },
        { FieldConfigs.Plain, SafetensorsType.F32, 1 },
    };

    [Theory, MemberData(nameof(Forms))]
    public void Load_EveryForm_GivesTheLogitsOfTheReference(string config, SafetensorsType type, int shards)
    {
        var written = FieldCheckpoint.Write(folder, config, type, shards);
        int vocabulary = (int)written.Config["vocab_size"]!;
        var random = new Random(5);
        long[] ids = [.. Enumerable.Range(0, 24).Select(_ => (long)random.Next(vocabulary))];
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = CheckpointFolder.Load(folder);
        model.eval();
        double[] expected = [.. new DeepSeekReference(written.Config, written.Weights).Logits(ids).SelectMany(row => row)];
        var logits = model.call(tensor(ids, [1, ids.Length])).flatten();
        Models.AssertClose("logits", tensor(expected), logits, 5e-6 * (expected.Max() - expected.Min()));
    }

    [Fact]
    public void Load_ConfigWrittenBack_IsTheSameModel()
    {
        foreach (string config in new[] { FieldConfigs.V2Lite, FieldConfigs.V2, FieldConfigs.V3, FieldConfigs.Tied, FieldConfigs.Plain })
        {
            string file = Path.Combine(folder, "config.json");
            File.WriteAllText(file, config);
            var first = ModelConfig.Load(file);
            File.WriteAllText(file, first.ToJson());
            Assert.Equal(first, ModelConfig.Load(file));
        }
    }
}
