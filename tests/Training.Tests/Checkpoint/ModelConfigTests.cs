using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Training.Tests.Checkpoint;

public sealed class ModelConfigTests : IDisposable
{
    private static readonly ModelConfig Latent = new()
    {
        VocabSize = 512, HiddenSize = 64, NumHiddenLayers = 3, NumAttentionHeads = 4, NumKeyValueHeads = 4, MaxPositionEmbeddings = 128, IntermediateSize = 96,
        KvLoraRank = 32, QkNopeHeadDim = 16, QkRopeHeadDim = 8, VHeadDim = 16,
        NRoutedExperts = 8, NSharedExperts = 1, NumExpertsPerTok = 2, MoeIntermediateSize = 16, FirstKDenseReplace = 1,
        NGroup = 4, TopkGroup = 2, RoutedScalingFactor = 1.5, BosTokenId = 0, EosTokenId = 0, PadTokenId = 1, TieWordEmbeddings = true,
    };

    private static readonly ModelConfig MultiHeadExperts = new()
    {
        ModelType = ModelConfig.Glm4Moe, VocabSize = 300, HiddenSize = 48, NumHiddenLayers = 2, NumAttentionHeads = 3, NumKeyValueHeads = 3,
        HeadDim = 16, RopeInterleave = false, NRoutedExperts = 6, NSharedExperts = 2, NumExpertsPerTok = 3, MoeIntermediateSize = 16,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("config").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Write(string json)
    {
        string file = Path.Combine(folder, "config.json");
        File.WriteAllText(file, json);
        return file;
    }

    public static TheoryData<ModelConfig> Families => new()
    {
        Latent,
        Latent with { QLoraRank = 24 },
        Latent with
        {
            RopeScaling = new() { Factor = 40, OriginalMaxPositionEmbeddings = 4096, BetaFast = 16, BetaSlow = 2, Mscale = 0.707, MscaleAllDim = 0.5 },
        },
        Latent with { ModelType = ModelConfig.DeepseekV2, ScoringFunc = "softmax", TopkMethod = "group_limited_greedy", NormTopkProb = false },
        new ModelConfig
        {
            ModelType = ModelConfig.Llama, VocabSize = 300, HiddenSize = 48, NumHiddenLayers = 2, NumAttentionHeads = 3, NumKeyValueHeads = 1,
            HeadDim = 16, IntermediateSize = 80, RopeInterleave = false,
        },
        MultiHeadExperts,
    };

    [Theory, MemberData(nameof(Families))]
    public void Load_WhatToJsonWrote_IsTheSameRecord(ModelConfig config)
    {
        Write(config.ToJson());
        Assert.Equal(config, ModelConfig.Load(folder));
    }

    [Theory]
    [InlineData("num_experts_per_tok", "9", "num_experts_per_tok is 9, more than n_routed_experts (8)")]
    [InlineData("qk_rope_head_dim", "7", "qk_rope_head_dim is 7")]
    [InlineData("kv_lora_rank", "31", "kv_lora_rank is 31")]
    [InlineData("vocab_size", "0", "vocab_size is 0")]
    [InlineData("vocab_size", "\"many\"", "expected a whole number")]
    [InlineData("hidden_size", null, "hidden_size is missing")]
    [InlineData("eos_token_id", "512", "eos_token_id is 512")]
    [InlineData("n_group", "3", "not a multiple of n_group (3)")]
    [InlineData("topk_group", "5", "topk_group is 5, more than n_group (4)")]
    [InlineData("topk_group", "0", "topk_group is 0")]
    [InlineData("scoring_func", "\"tanh\"", "scoring_func is \"tanh\"")]
    [InlineData("topk_method", "\"best\"", "topk_method is \"best\"")]
    [InlineData("model_type", "\"gpt2\"", "model_type is \"gpt2\"")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act is \"gelu\"; only \"silu\" is supported")]
    [InlineData("rope_scaling", "{\"type\":\"yarn\"}", "rope_scaling.factor is missing")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":2}", "rope_scaling.type is \"linear\"; expected \"default\" or \"yarn\"")]
    [InlineData("rms_norm_eps", "0", "rms_norm_eps is 0")]
    [InlineData("q_lora_rank", "0", "q_lora_rank is 0")]
    [InlineData("first_k_dense_replace", "4", "first_k_dense_replace is 4; expected 0 to num_hidden_layers (3)")]
    [InlineData("initializer_range", "0", "initializer_range is 0")]
    [InlineData("rope_parameters", "{\"rope_type\":\"yarn\",\"factor\":4}", "rope_parameters.original_max_position_embeddings is missing")]
    [InlineData("rope_parameters", "{\"rope_theta\":5}", "rope_parameters.rope_theta is 5; expected the 10000 of the rope_theta beside it")]
    [InlineData("rope_parameters", "3", "rope_parameters is 3")]
    [InlineData("intermediate_size", "-4", "intermediate_size is -4")]
    public void Load_ImpossibleValue_NamesFileKeyAndRange(string key, string? value, string expected)
    {
        var json = JsonNode.Parse(Latent.ToJson())!.AsObject();
        json.Remove(key);
        if (value is not null)
        {
            json[key] = JsonNode.Parse(value);
        }
        string file = Write(json.ToJsonString());
        var error = Assert.Throws<CheckpointException>(() => ModelConfig.Load(folder));
        Assert.StartsWith(file + ":", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Load_RopeParameters_GiveThetaThatIsNotBesideThem()
    {
        var json = JsonNode.Parse(Latent.ToJson())!.AsObject();
        json.Remove("rope_theta");
        json["rope_parameters"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 5000.0 };
        Write(json.ToJsonString());
        Assert.Equal(Latent with { RopeTheta = 5000 }, ModelConfig.Load(folder));
    }

    [Fact]
    public void Load_Glm4MoeWithoutPartialRotaryFactor_IsNotTakenForFullRotation()
    {
        var json = JsonNode.Parse(MultiHeadExperts.ToJson())!.AsObject();
        json.Remove("partial_rotary_factor");
        Write(json.ToJsonString());
        Assert.Contains("partial_rotary_factor is missing", Assert.Throws<CheckpointException>(() => ModelConfig.Load(folder)).Message);
    }

    [Theory]
    [InlineData("{\"vocab_size\": 1,\n oops}", "line 2")]
    [InlineData("[]", "expected a JSON object")]
    public void Load_DamagedJson_NamesThePlace(string text, string expected)
    {
        Write(text);
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => ModelConfig.Load(folder)).Message);
    }

    [Fact]
    public void Load_NoFile_SaysWhatIsExpected() =>
        Assert.Contains("config.json", Assert.Throws<CheckpointException>(() => ModelConfig.Load(folder)).Message);

    [Fact]
    public void ModelSize_Of_CountsByHand()
    {
        // Attention 64·4·24 + 64·40 + 32·4·32 + 4·16·64 = 16,896; dense 3·64·96; expert 3·64·16; gate 64·8.
        long attention = 16_896, dense = 18_432, expert = 3_072, gate = 512, head = 512 * 64, norms = 64 * 7 + 32 * 3;
        var size = ModelSize.Of(Latent);
        Assert.Equal(3 * attention + dense + 2 * (9 * expert + gate + 8) + head + norms, size.TotalParameters);
        Assert.Equal(3 * attention + dense + 2 * (3 * expert + gate) + head + norms, size.ActiveParameters);
        Assert.Equal(2 * (3 * attention + dense + 2 * (3 * expert + gate) + head), size.FlopsPerToken);
        Assert.Equal(3 * 40, size.CacheNumbersPerToken);
    }
}
