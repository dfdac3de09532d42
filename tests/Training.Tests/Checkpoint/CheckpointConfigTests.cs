using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Tests.Support.Field;

namespace LatentMoE.Training.Tests.Checkpoint;

public sealed class CheckpointConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("config").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File => Path.Combine(folder, "config.json");

    private CheckpointConfig Load(string config, string? key = null, string? value = null)
    {
        var json = (JsonObject)JsonNode.Parse(config)!;
        if (key is not null)
        {
            string[] path = key.Split('.');
            var owner = (JsonObject)path[..^1].Aggregate((JsonNode)json, (node, name) => node[name]!);
            owner.Remove(path[^1]);
            if (value is not null)
            {
                owner[path[^1]] = JsonNode.Parse(value);
            }
        }
        System.IO.File.WriteAllText(File, json.ToJsonString());
        return CheckpointConfig.Load(folder);
    }

    private string Refused(string config, string key, string? value)
    {
        string message = Assert.Throws<CheckpointException>(() => Load(config, key, value)).Message;
        Assert.StartsWith(File + ":", message);
        return message;
    }

    [Fact]
    public void Load_DeepSeekV2Lite_ReadsEveryKeyThatMatters()
    {
        var config = Load(FieldConfigs.V2Lite);
        Assert.Equal(new ModelConfig
        {
            ModelType = ModelConfig.DeepseekV2, VocabSize = 288, HiddenSize = 64, NumHiddenLayers = 3, NumAttentionHeads = 4, NumKeyValueHeads = 4,
            MaxPositionEmbeddings = 256, IntermediateSize = 96, KvLoraRank = 32, QkNopeHeadDim = 16, QkRopeHeadDim = 16, VHeadDim = 16,
            NRoutedExperts = 8, NSharedExperts = 2, NumExpertsPerTok = 3, MoeIntermediateSize = 32, FirstKDenseReplace = 1, ScoringFunc = "softmax",
            TopkMethod = "greedy", NormTopkProb = false, BosTokenId = 0, EosTokenId = 1,
            RopeScaling = new() { Factor = 4, OriginalMaxPositionEmbeddings = 64, Mscale = 0.707, MscaleAllDim = 0.707 },
        }, config.Model);
        Assert.Equal(
            ["architectures", "attention_dropout", "auto_map", "aux_loss_alpha", "initializer_range", "pretraining_tp", "seq_aux", "torch_dtype", "transformers_version", "use_cache"],
            config.IgnoredKeys);
        Assert.Equal((null, 0), (config.Quantization, config.ExtraLayers));
    }

    [Fact]
    public void Load_DeepSeekV3_ReadsBlocksAndExtraLayers()
    {
        var config = Load(FieldConfigs.V3);
        Assert.Equal(new BlockQuantization(128, 128), config.Quantization);
        Assert.Equal(1, config.ExtraLayers);
        Assert.Equal(("sigmoid", "noaux_tc", true, 2.5, 4, 2), (config.Model.ScoringFunc, config.Model.TopkMethod, config.Model.NormTopkProb,
            config.Model.RoutedScalingFactor, config.Model.NGroup, config.Model.TopkGroup));
    }

    [Fact]
    public void Load_RopeParameters_GiveThetaAndScaling()
    {
        var model = Load(FieldConfigs.Tied).Model;
        Assert.Equal(500, model.RopeTheta);
        Assert.Equal(new YarnScaling { Factor = 8, OriginalMaxPositionEmbeddings = 48, Mscale = 1, MscaleAllDim = 0.5 }, model.RopeScaling);
        Assert.False(model.RopeInterleave);
    }

    [Fact]
    public void Load_SeveralEndTokens_TakesTheFirst() => Assert.Equal(1, Load(FieldConfigs.V2).Model.EosTokenId);

    [Theory]
    [InlineData("deepseek_v3", "routed_scaling_factor", 2.5)]
    [InlineData("deepseek_v2", "routed_scaling_factor", 1.0)]
    public void Load_MissingRoutingKey_HasTheFamilysPublishedDefault(string type, string key, double expected) =>
        Assert.Equal(expected, Load(type == "deepseek_v3" ? FieldConfigs.V3 : FieldConfigs.V2, key).Model.RoutedScalingFactor);

    [Fact]
    public void WeightFactor_OfNormalisedV2_IsOne()
    {
        Assert.Equal(1, Load(FieldConfigs.V2, "norm_topk_prob", "true").Model.WeightFactor);
        Assert.Equal(16, Load(FieldConfigs.V2).Model.WeightFactor);
        Assert.Equal(2.5, Load(FieldConfigs.V3).Model.WeightFactor);
    }

    // 0.1 · 0.707 · ln 40 + 1 = 1.260804; both magnitudes alike leave cosines alone.
    [Fact]
    public void YarnScaling_OfTheNumbersThatDeepSeekPublishes()
    {
        var yarn = new YarnScaling { Factor = 40, OriginalMaxPositionEmbeddings = 4096, Mscale = 0.707, MscaleAllDim = 0.707 };
        Assert.Equal(1, yarn.RotaryFactor, 12);
        Assert.Equal(1.260804 * 1.260804, yarn.ScoreFactor, 5);
        Assert.Equal(1.368888, (yarn with { Mscale = 1, MscaleAllDim = 0 }).RotaryFactor, 6);
        Assert.Equal(1, (yarn with { Mscale = 1, MscaleAllDim = 0 }).ScoreFactor);
    }

    // dr = 64, theta 10,000, 4,096 positions: 10.26 pairs turn 32 times or more, 22.51 once or more.
    [Fact]
    public void RotaryFrequencies_OfDeepSeek_KeepFastPairsAndSlowTheOthers()
    {
        var config = Load(FieldConfigs.V2Lite).Model with
        {
            QkRopeHeadDim = 64, RopeScaling = new() { Factor = 40, OriginalMaxPositionEmbeddings = 4096, Mscale = 1, MscaleAllDim = 1 },
        };
        double[] yarn = RotaryFrequencies.Of(config), plain = RotaryFrequencies.Of(config with { RopeScaling = null });
        Assert.Equal(plain[..11], yarn[..11]);
        Assert.Equal(plain[16] * (7.0 / 13 + 6.0 / 13 / 40), yarn[16], 12);
        Assert.All(Enumerable.Range(23, 9), i => Assert.Equal(plain[i] / 40, yarn[i], 15));
        Assert.Equal(Math.Pow(10_000, -0.5), plain[16], 12);
    }

    [Theory]
    [InlineData("index_topk", "2048", "index_topk is 2048. It is an unknown key of deepseek_v3")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act is \"gelu\"; only \"silu\" is supported")]
    [InlineData("attention_bias", "true", "attention_bias is true; only false")]
    [InlineData("partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5; only 1.0")]
    [InlineData("moe_layer_freq", "2", "moe_layer_freq is 2; only 1")]
    [InlineData("sliding_window", "4096", "sliding_window is 4096; only null")]
    [InlineData("num_key_value_heads", "1", "num_key_value_heads is 1; expected 4")]
    [InlineData("qk_head_dim", "99", "qk_head_dim is 99; expected 40")]
    [InlineData("head_dim", "128", "head_dim is 128; expected 8")]
    [InlineData("num_nextn_predict_layers", "-1", "num_nextn_predict_layers is -1")]
    [InlineData("eos_token_id", "[1, \"a\"]", "eos_token_id is [1,\"a\"]; expected a whole number or a list of them")]
    [InlineData("quantization_config.quant_method", "\"awq\"", "quantization_config.quant_method is \"awq\"; expected \"fp8\"")]
    [InlineData("quantization_config.quant_method", null, "quantization_config.quant_method is missing")]
    [InlineData("quantization_config.fmt", "\"e5m2\"", "quantization_config.fmt is \"e5m2\"")]
    [InlineData("quantization_config.activation_scheme", "\"static\"", "quantization_config.activation_scheme is \"static\"")]
    [InlineData("quantization_config.weight_block_size", null, "quantization_config.weight_block_size is missing")]
    [InlineData("quantization_config.weight_block_size", "[128]", "quantization_config.weight_block_size is [128]")]
    [InlineData("quantization_config.weight_block_size", "[128, 0]", "quantization_config.weight_block_size is [128,0]")]
    [InlineData("quantization_config.scale_fmt", "\"log\"", "quantization_config.scale_fmt is \"log\"")]
    [InlineData("quantization_config.zero_point", "true", "quantization_config.zero_point is true. It is an unknown key")]
    [InlineData("quantization_config", "\"fp8\"", "quantization_config is \"fp8\"; expected an object")]
    [InlineData("rope_scaling.type", "\"dynamic\"", "rope_scaling.type is \"dynamic\"; expected \"default\" or \"yarn\"")]
    [InlineData("rope_scaling.attention_factor", "1.2", "rope_scaling.attention_factor is 1.2. It is an unknown key")]
    [InlineData("rope_scaling.truncate", "false", "rope_scaling.truncate is false; expected true")]
    [InlineData("rope_scaling.factor", null, "rope_scaling.factor is missing")]
    [InlineData("rope_scaling.factor", "0.5", "factor of YaRN is 0.5")]
    [InlineData("rope_scaling.original_max_position_embeddings", "0", "original_max_position_embeddings of YaRN is 0")]
    [InlineData("rope_scaling.beta_fast", "0.5", "beta_fast and beta_slow of YaRN are 0.5 and 1")]
    [InlineData("rope_scaling.mscale", null, "mscale and mscale_all_dim of YaRN are 0 and 1")]
    [InlineData("rope_scaling.rope_type", "\"default\"", "rope_scaling.type is \"yarn\"; expected the \"default\" of the rope_type beside it")]
    [InlineData("rope_parameters", "{ \"rope_type\": \"default\" }", "expected the same scaling as in rope_parameters")]
    public void Load_KeyOfAnotherModel_NamesKeyAndValue(string key, string? value, string expected) =>
        Assert.Contains(expected, Refused(FieldConfigs.V3, key, value));

    [Theory]
    [InlineData("scoring_func", "\"sigmoid\"", "scoring_func is \"sigmoid\"; deepseek_v2 has \"softmax\" only")]
    [InlineData("topk_method", "\"noaux_tc\"", "topk_method is \"noaux_tc\"; deepseek_v2 has")]
    [InlineData("rope_interleave", "false", "rope_interleave is false; deepseek_v2 turns neighbours")]
    public void Load_WhatV2DoesNotCompute_IsRefused(string key, string value, string expected) => Assert.Contains(expected, Refused(FieldConfigs.V2, key, value));

    [Fact]
    public void Load_NullKeys_CountAsAbsent() => Assert.Equal(Load(FieldConfigs.V3).Model, Load(FieldConfigs.V3, "some_new_key", "null").Model);

    [Fact]
    public void Load_YarnOfAMultiHeadModel_IsRefused()
    {
        string llama = new ModelConfig
        {
            ModelType = ModelConfig.Llama, VocabSize = 300, HiddenSize = 48, NumHiddenLayers = 2, NumAttentionHeads = 3, NumKeyValueHeads = 1, IntermediateSize = 80,
            RopeInterleave = false,
        }.ToJson();
        Assert.Contains("expected \"default\" in a model of this family", Refused(llama, "rope_scaling", "{ \"rope_type\": \"yarn\", \"factor\": 2 }"));
    }
}
