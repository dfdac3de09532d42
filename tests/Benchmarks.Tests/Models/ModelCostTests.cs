using LatentMoE.Benchmarks.Models;
using LatentMoE.Checkpoints;

namespace LatentMoE.Benchmarks.Tests.Models;

public class ModelCostTests
{
    private static readonly Case Step = new(Case.Decode, 32, 1, 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BytesPerToken_AreActiveWeightsAndCache(bool twin)
    {
        var (config, cost, model) = Load(twin);
        int biases = config.NumHiddenLayers * config.NRoutedExperts;
        double expected = sizeof(float) * (ModelSize.Of(config).ActiveParameters + biases) + 33 * model.CacheBytesPerToken;
        Assert.Equal(expected, cost.BytesPerToken(Step, config.NumHiddenLayers * config.NumExpertsPerTok));
        Assert.Equal(config.NumHiddenLayers * config.NRoutedExperts, cost.Experts);
        Assert.Equal(sizeof(float) * ModelSize.Of(config).CacheNumbersPerToken, model.CacheBytesPerToken);
    }

    [Fact]
    public void BytesPerToken_ShareWeightsBetweenRows()
    {
        var (_, cost, model) = Load(false);
        double one = cost.BytesPerToken(Step, 6) - 33 * model.CacheBytesPerToken;
        double four = cost.BytesPerToken(Step with { Batch = 4 }, 6) - 33 * model.CacheBytesPerToken;
        Assert.Equal(one / 4, four);
    }

    [Fact]
    public void FlopsPerToken_AreTwoAWeightAndThoseOfTheColumns()
    {
        var (latent, cost, _) = Load(false);
        int absorbed = 2 * latent.NumAttentionHeads * (2 * latent.KvLoraRank + latent.QkRopeHeadDim);
        Assert.Equal(ModelSize.Of(latent).FlopsPerToken + 33 * latent.NumHiddenLayers * absorbed, cost.FlopsPerToken(Step));
        var (multi, other, _) = Load(true);
        int grouped = 4 * multi.NumAttentionHeads * multi.MultiHeadDim;
        Assert.Equal(ModelSize.Of(multi).FlopsPerToken + 33 * multi.NumHiddenLayers * grouped, other.FlopsPerToken(Step));
    }

    [Fact]
    public void FlopsPerToken_CountTheHeadOnceAPrefill()
    {
        var (config, cost, _) = Load(false);
        long head = 2L * config.VocabSize * config.HiddenSize;
        int expanded = 2 * config.NumAttentionHeads * (config.QkHeadDim + config.VHeadDim);
        double expected = ModelSize.Of(config).FlopsPerToken - head + head / 16.0 + 8.5 * config.NumHiddenLayers * expanded;
        Assert.Equal(expected, cost.FlopsPerToken(new Case(Case.Prefill, 16, 1, 1)), 6);
    }

    private static (ModelConfig Config, ModelCost Cost, PackageModel Model) Load(bool twin)
    {
        var config = twin ? ExportedPackage.Twin : ExportedPackage.Config;
        using var package = new ExportedPackage(config);
        var model = PackageModel.Load(package.Path);
        return (config, new ModelCost(model), model);
    }
}
