using System.Text.Json;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Model;
using LatentMoE.Training.Tests.Model;

namespace LatentMoE.Training.Tests.Trainer;

/// <summary>
/// What the trainer writes is a checkpoint of the families that it names: the keys and types of transformers' DeepseekV3Config,
/// LlamaConfig and Glm4MoeConfig (and the two of DeepSeek's own configuration), and the tensors of their modelling code.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed class CheckpointSchemaTests : IDisposable
{
    private const string Whole = "whole", Number = "number", Flag = "flag", Text = "text", Texts = "texts", Rope = "object or null", WholeOrNull = "whole or null";

    private static readonly Dictionary<string, string> Common = new()
    {
        ["architectures"] = Texts, ["model_type"] = Text, ["torch_dtype"] = Text, ["vocab_size"] = Whole, ["hidden_size"] = Whole, ["intermediate_size"] = Whole,
        ["num_hidden_layers"] = Whole, ["num_attention_heads"] = Whole, ["num_key_value_heads"] = Whole, ["hidden_act"] = Text,
        ["max_position_embeddings"] = Whole, ["initializer_range"] = Number, ["rms_norm_eps"] = Number, ["use_cache"] = Flag,
        ["tie_word_embeddings"] = Flag, ["rope_theta"] = Number, ["rope_scaling"] = Rope, ["attention_bias"] = Flag, ["attention_dropout"] = Number,
        ["bos_token_id"] = WholeOrNull, ["eos_token_id"] = WholeOrNull, ["pad_token_id"] = WholeOrNull, ["head_dim"] = Whole,
    };

    private static readonly Dictionary<string, string> Experts = new()
    {
        ["moe_intermediate_size"] = Whole, ["n_shared_experts"] = Whole, ["n_routed_experts"] = Whole, ["num_experts_per_tok"] = Whole,
        ["routed_scaling_factor"] = Number, ["n_group"] = Whole, ["topk_group"] = Whole, ["first_k_dense_replace"] = Whole, ["norm_topk_prob"] = Flag,
        ["scoring_func"] = Text, ["topk_method"] = Text,
    };

    private static readonly Dictionary<string, Dictionary<string, string>> Own = new()
    {
        [ModelConfig.DeepseekV3] = new(Experts)
        {
            ["q_lora_rank"] = WholeOrNull, ["kv_lora_rank"] = Whole, ["qk_nope_head_dim"] = Whole, ["qk_rope_head_dim"] = Whole, ["qk_head_dim"] = Whole,
            ["v_head_dim"] = Whole, ["rope_interleave"] = Flag,
        },
        [ModelConfig.Llama] = new() { ["mlp_bias"] = Flag },
        [ModelConfig.Glm4Moe] = new(Experts) { ["partial_rotary_factor"] = Number, ["use_qk_norm"] = Flag },
    };

    private readonly string folder = Directory.CreateTempSubdirectory("latentmoe-schema-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Configs => [.. Twin.Names, "low-rank", "yarn", "first-dense"];

    private static ModelConfig Config(string name) => name switch
    {
        "low-rank" => Models.Latent with { QLoraRank = 12, TieWordEmbeddings = false },
        "yarn" => Models.Latent with { RopeScaling = new() { Factor = 4, OriginalMaxPositionEmbeddings = 8, Mscale = 0.707, MscaleAllDim = 0.707 } },
        "first-dense" => Models.Latent with { FirstKDenseReplace = 1, NSharedExperts = 0 },
        _ => Models.Of(name),
    };

    [Theory, MemberData(nameof(Configs))]
    public void Config_HasThePublishedKeysAndTypes(string name)
    {
        var config = Config(name);
        using var json = JsonDocument.Parse(config.ToJson());
        var known = Common.Concat(Own[config.ModelType]).ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var property in json.RootElement.EnumerateObject())
        {
            Assert.True(known.TryGetValue(property.Name, out string? type), $"{property.Name} is no key of {config.ModelType}");
            Assert.True(Is(property.Value, type), $"{property.Name} is {property.Value.GetRawText()}; expected {type}");
        }
        // Without experts their sizes are left out: a null would stop converters that take the key for a number.
        string[] absent = [.. known.Keys.Where(key => !json.RootElement.TryGetProperty(key, out _))];
        Assert.Equal(config.IsMoE || config.ModelType == ModelConfig.Llama ? [] : ["moe_intermediate_size", "n_shared_experts", "n_routed_experts", "num_experts_per_tok"], absent);
        string expected = config.ModelType switch
        {
            ModelConfig.Llama => "LlamaForCausalLM",
            ModelConfig.Glm4Moe => "Glm4MoeForCausalLM",
            _ => "DeepseekV3ForCausalLM",
        };
        Assert.Equal(expected, json.RootElement.GetProperty("architectures")[0].GetString());
    }

    [Theory, MemberData(nameof(Configs))]
    public void Weights_HaveThePublishedNamesAndShapes(string name)
    {
        var config = Config(name);
        using var model = Models.Create(config);
        string path = Path.Combine(folder, "model.safetensors");
        CheckpointNames.Save(model, path);
        using var file = SafetensorsFile.Open(path);
        var expected = Tensors(config).ToDictionary(t => t.Name, t => t.Shape);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(file.Tensors, t => Assert.Equal(expected[t.Name], t.Shape));
        Assert.Equal("pt", file.Metadata["format"]); // transformers refuses files without.
    }

    // The modelling code of the three families, module by module.
    private static IEnumerable<(string Name, long[] Shape)> Tensors(ModelConfig c)
    {
        long d = c.HiddenSize, heads = c.NumAttentionHeads;
        List<(string, long[])> all = [("model.embed_tokens", [c.VocabSize, d]), ("model.norm", [d])];
        if (!c.TieWordEmbeddings)
        {
            all.Add(("lm_head", [c.VocabSize, d]));
        }
        for (int layer = 0; layer < c.NumHiddenLayers; layer++)
        {
            string p = $"model.layers.{layer}.", a = p + "self_attn.", m = p + "mlp";
            void FeedForward(string prefix, long hidden) =>
                all.AddRange([(prefix + ".gate_proj", [hidden, d]), (prefix + ".up_proj", [hidden, d]), (prefix + ".down_proj", [d, hidden])]);
            all.AddRange([(p + "input_layernorm", [d]), (p + "post_attention_layernorm", [d])]);
            if (c.ModelType == ModelConfig.DeepseekV3)
            {
                long query = heads * (c.QkNopeHeadDim + c.QkRopeHeadDim);
                all.AddRange(c.QLoraRank is int rank ? [(a + "q_a_proj", [rank, d]), (a + "q_a_layernorm", [rank]), (a + "q_b_proj", [query, rank])] : [(a + "q_proj", [query, d])]);
                all.AddRange([(a + "kv_a_proj_with_mqa", [c.KvLoraRank + c.QkRopeHeadDim, d]), (a + "kv_a_layernorm", [c.KvLoraRank])]);
                all.AddRange([(a + "kv_b_proj", [heads * (c.QkNopeHeadDim + c.VHeadDim), c.KvLoraRank]), (a + "o_proj", [d, heads * c.VHeadDim])]);
            }
            else
            {
                long width = c.HeadDim!.Value;
                all.AddRange([(a + "q_proj", [heads * width, d]), (a + "k_proj", [c.NumKeyValueHeads * width, d]), (a + "v_proj", [c.NumKeyValueHeads * width, d]), (a + "o_proj", [d, heads * width])]);
            }
            if (c.ModelType == ModelConfig.Llama || c.NRoutedExperts == 0 || layer < c.FirstKDenseReplace)
            {
                FeedForward(m, c.IntermediateSize);
                continue;
            }
            all.Add((m + ".gate", [c.NRoutedExperts, d]));
            for (int expert = 0; expert < c.NRoutedExperts; expert++)
            {
                FeedForward($"{m}.experts.{expert}", c.MoeIntermediateSize);
            }
            if (c.NSharedExperts > 0)
            {
                FeedForward(m + ".shared_experts", c.NSharedExperts * c.MoeIntermediateSize);
            }
        }
        var biases = all.Where(t => t.Item1.EndsWith("mlp.gate", StringComparison.Ordinal)).Select(t => (t.Item1 + ".e_score_correction_bias", new[] { t.Item2[0] }));
        return all.Select(t => (t.Item1 + ".weight", t.Item2)).Concat(biases);
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        Whole => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        WholeOrNull => value.ValueKind == JsonValueKind.Null || Is(value, Whole),
        Number => value.ValueKind == JsonValueKind.Number,
        Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        Text => value.ValueKind == JsonValueKind.String,
        Texts => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => Is(v, Text)),
        _ => value.ValueKind is JsonValueKind.Null or JsonValueKind.Object,
    };
}
