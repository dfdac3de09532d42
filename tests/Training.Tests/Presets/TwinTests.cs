using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Presets;

public class TwinTests
{
    private static readonly ModelConfig Tiny = Preset.Load("tiny").Model;

    [Theory]
    [InlineData(Twin.MlaMoE, ModelConfig.DeepseekV3, true, true)]
    [InlineData(Twin.MlaDense, ModelConfig.DeepseekV3, true, false)]
    [InlineData(Twin.MhaMoE, ModelConfig.Glm4Moe, false, true)]
    [InlineData(Twin.MhaDense, ModelConfig.Llama, false, false)]
    public void Of_DiffersInWhatItsNameSays(string twin, string type, bool latent, bool experts)
    {
        var config = Twin.Of(Tiny, twin, "tiny");
        Assert.Equal((type, latent, experts), (config.ModelType, config.IsLatent, config.IsMoE));
        Assert.Equal((Tiny.HiddenSize, Tiny.NumHiddenLayers, Tiny.VocabSize), (config.HiddenSize, config.NumHiddenLayers, config.VocabSize));
    }

    [Theory]
    [InlineData(Twin.MlaMoE)]
    [InlineData(Twin.MlaDense)]
    [InlineData(Twin.MhaMoE)]
    [InlineData(Twin.MhaDense)]
    public void Of_SurvivesConfigJson(string twin)
    {
        var config = Twin.Of(Tiny, twin, "tiny");
        using var json = System.Text.Json.JsonDocument.Parse(config.ToJson());
        Assert.Equal(ModelSize.Of(config), ModelSize.Of(ModelConfig.FromJson(json.RootElement, "tiny")));
    }

    [Fact]
    public void Of_RefusesATwinOfATwin()
    {
        Assert.Throws<CheckpointException>(() => Twin.Of(Twin.Of(Tiny, Twin.MhaDense, "tiny"), Twin.MlaMoE, "tiny"));
        Assert.Contains("mla-moe, mla-dense", Assert.Throws<CheckpointException>(() => Twin.Of(Tiny, "moe", "tiny")).Message);
    }
}
