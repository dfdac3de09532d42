using System.Text;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Trainer;

namespace LatentMoE.Training.Tests.Presets;

public class PresetTests
{
    public static TheoryData<string> Names => [.. Preset.Known];

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_EveryPresetIsWhole(string name)
    {
        var preset = Preset.Load(name);
        var c = preset.Model;
        Assert.Equal(name, preset.Name);
        Assert.NotEmpty(preset.Description);
        Assert.True(c.IsLatent && c.IsMoE && c.IntermediateSize > 0, "a preset is the latent model with experts, and says how wide its dense twin is");
        // Micro-experts as narrow as their parameters allow are for comparisons in float32, which no block of weights cuts.
        int[] narrow = name == "study" ? [] : [c.MoeIntermediateSize];
        Assert.All([c.HiddenSize, c.KvLoraRank, c.IntermediateSize, c.QkNopeHeadDim, c.VHeadDim, .. narrow], w => Assert.True(w % 16 == 0, $"width {w} is not a multiple of 16"));
        Assert.Equal(0, (c.KvLoraRank + c.QkRopeHeadDim) % 2);
        Assert.All(Twin.Names, twin => Assert.Equal($"{name}-{twin}", Preset.Load(name, twin).Name));
    }

    [Theory]
    [InlineData("xs", 17_600_000)]
    [InlineData("s", 44_600_000)]
    [InlineData("m", 54_000_000)]
    [InlineData("l", 123_500_000)]
    [InlineData("xl", 202_500_000)]
    public void Load_DenseTwinsHaveThePapersSizes(string name, long parameters)
    {
        foreach (string family in new[] { name, name + "-flop" })
        {
            var size = ModelSize.Of(Preset.Load(family, Twin.MhaDense).Model);
            Assert.InRange(size.TotalParameters, parameters * 0.995, parameters * 1.005);
        }
    }

    [Theory]
    [InlineData("xs")]
    [InlineData("s")]
    [InlineData("m")]
    [InlineData("l")]
    [InlineData("xl")]
    public void Load_FamiliesMatchTheirDenseTwin(string name)
    {
        var micro = Preset.Load(name).Model;
        var flop = Preset.Load(name + "-flop").Model;
        // 64 micro-experts hold the dense part's weights, 8 FLOP-matched ones do its work; both up to the rounding of a width to 16.
        double experts = micro.NRoutedExperts + micro.NSharedExperts, active = flop.NumExpertsPerTok + flop.NSharedExperts;
        Assert.InRange(micro.MoeIntermediateSize - micro.IntermediateSize / experts, -8, 8);
        Assert.InRange(flop.MoeIntermediateSize - flop.IntermediateSize / active, -8, 8);
        Assert.Equal((62, 2, 6), (micro.NRoutedExperts, micro.NSharedExperts, micro.NumExpertsPerTok));
        Assert.Equal((micro.HiddenSize / 2, Math.Min(micro.HiddenSize / 8, 64)), (micro.KvLoraRank, micro.QkRopeHeadDim));
    }

    [Theory]
    [InlineData("xs")]
    [InlineData("xl-flop")]
    public void Load_PaperSizesHaveThePapersRecipe(string name)
    {
        var recipe = Preset.Load(name).Recipe;
        Assert.Equal((128, 512, 3e-4, 0.9, 0.95, 0.1, 1.0, 0.1), (recipe.Batch * recipe.Accumulation, recipe.Sequence, recipe.LearningRate, recipe.Beta1, recipe.Beta2, recipe.WeightDecay, recipe.Clip, recipe.MinLearningRateRatio));
    }

    [Fact]
    public void Load_BenchmarkShapes()
    {
        var m = ModelSize.Of(Preset.Load("bench-m").Model);
        Assert.Equal((119.0, 26.7), (Math.Round(m.TotalParameters / 1e6, 1), Math.Round(m.ActiveParameters / 1e6, 1)));
        var s = Preset.Load("bench-s").Model;
        Assert.Equal((256, 6, 8, 32, 32, 128, 64, 8192), (s.HiddenSize, s.NumHiddenLayers, s.NumAttentionHeads, s.QkNopeHeadDim, s.QkRopeHeadDim, s.KvLoraRank, s.MoeIntermediateSize, s.VocabSize));
    }

    [Fact]
    public void Load_TinyIsTiny()
    {
        var preset = Preset.Load("tiny");
        Assert.InRange(ModelSize.Of(preset.Model).TotalParameters, 1_000_000, 3_000_000);
        Assert.InRange(preset.Model.VocabSize, 2048, 4096);
        Assert.Equal(512, preset.Model.MaxPositionEmbeddings);
    }

    [Fact]
    public void Load_UnknownPresetNamesTheKnown()
    {
        var error = Assert.Throws<CheckpointException>(() => Preset.Load("huge"));
        Assert.All(Preset.Known, name => Assert.Contains(name, error.Message));
    }

    [Fact]
    public void Load_TakesAPath()
    {
        string path = Path.Combine(Path.GetTempPath(), $"latentmoe-{Guid.NewGuid():N}.json");
        File.Copy(Path.Combine(Preset.Folder, "tiny.json"), path);
        try
        {
            Assert.Equal(Preset.Load("tiny").Model, Preset.Load(path).Model);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Contains("no such file", Assert.Throws<CheckpointException>(() => Preset.Load(path)).Message);
    }

    [Theory]
    [InlineData("\"q_lora_rank\"", "\"q_lora_ranks\"", "model.q_lora_ranks is an unknown key")]
    [InlineData("\"clip\"", "\"clipping\"", "training.clipping is an unknown key")]
    [InlineData("\"description\"", "\"descripton\"", "descripton is an unknown key")]
    [InlineData("\"num_experts_per_tok\": 3", "\"num_experts_per_tok\": 99", "num_experts_per_tok is 99")]
    [InlineData("\"sequence\": 256", "\"sequence\": 4096", "training.sequence is 4096")]
    [InlineData("\"clip\": 1.0", "\"clip\": \"much\"", "$.clip")]
    [InlineData("\"deepseek_v3\"", "\"deepseek_v2\"", "model_type is \"deepseek_v2\", which is read but not trained")]
    [InlineData("\"training\": {", "\"training\": [", "not the JSON of a preset")]
    public void Parse_NamesFileAndKey(string old, string @new, string message)
    {
        string json = File.ReadAllText(Path.Combine(Preset.Folder, "tiny.json"));
        Assert.Contains(old, json);
        var error = Assert.Throws<CheckpointException>(() => Preset.Parse(Encoding.UTF8.GetBytes(json.Replace(old, @new)), "odd.json"));
        Assert.StartsWith("odd.json: ", error.Message);
        Assert.Contains(message, error.Message);
    }
}
