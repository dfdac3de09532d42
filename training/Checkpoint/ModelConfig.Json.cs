using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Checkpoints;

public sealed partial record ModelConfig
{
    // What each family calls "use the plain form": present with any other value, the model is one that we would compute wrongly.
    private static readonly (string Key, string Plain)[] FixedKeys =
    [
        ("hidden_act", "\"silu\""), ("attention_bias", "false"), ("mlp_bias", "false"), ("rope_scaling", "null"),
        ("use_qk_norm", "false"), ("partial_rotary_factor", "1.0"), ("moe_layer_freq", "1"), ("quantization_config", "null"),
    ];

    /// <summary>Reads and validates <c>config.json</c>, given the file or its folder.</summary>
    /// <exception cref="CheckpointException">The file is missing, is not JSON, lacks a key, or holds an impossible value.</exception>
    public static ModelConfig Load(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        if (!File.Exists(file))
        {
            throw new CheckpointException($"{file}: no such file. Expected a Hugging Face checkpoint folder with a config.json.");
        }
        JsonElement root;
        try
        {
            root = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: line {e.LineNumber + 1}, byte {e.BytePositionInLine}: not JSON: {e.Message}", e);
        }
        return FromJson(root, file);
    }

    /// <summary>Reads the keys of <c>config.json</c> from an object; <paramref name="file"/> names it in errors.</summary>
    public static ModelConfig FromJson(JsonElement root, string file)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CheckpointException($"{file}: expected a JSON object, found {root.ValueKind}.");
        }
        var keys = new Keys(root, file);
        string type = keys.Text("model_type", DeepseekV3);
        if (type is not (DeepseekV3 or Llama or Glm4Moe))
        {
            throw new CheckpointException($"{file}: model_type is \"{type}\"; supported are \"{DeepseekV3}\", \"{Llama}\" and \"{Glm4Moe}\".");
        }
        foreach (var (key, plain) in FixedKeys)
        {
            if (root.TryGetProperty(key, out var value) && !JsonNode.DeepEquals(JsonNode.Parse(value.GetRawText()), JsonNode.Parse(plain)))
            {
                throw new CheckpointException($"{file}: {key} is {value.GetRawText()}; only {plain} is supported.");
            }
        }
        var rope = keys.Rope();
        if (type == Glm4Moe && !root.TryGetProperty("partial_rotary_factor", out _) && !rope.TryGetProperty("partial_rotary_factor", out _))
        {
            throw new CheckpointException($"{file}: partial_rotary_factor is missing, which means 0.5 to Hugging Face; only 1.0 is supported: add it if the model was trained so.");
        }
        bool latent = type == DeepseekV3, experts = type != Llama;
        int layers = keys.Int("num_hidden_layers"), heads = keys.Int("num_attention_heads");
        int dense = experts ? keys.Int("first_k_dense_replace", 0) : layers;
        bool routed = experts && dense < layers;
        return new ModelConfig
        {
            ModelType = type,
            VocabSize = keys.Int("vocab_size"),
            HiddenSize = keys.Int("hidden_size"),
            NumHiddenLayers = layers,
            NumAttentionHeads = heads,
            NumKeyValueHeads = keys.Int("num_key_value_heads", heads),
            MaxPositionEmbeddings = keys.Int("max_position_embeddings"),
            IntermediateSize = dense > 0 ? keys.Int("intermediate_size") : keys.Int("intermediate_size", 0),
            QLoraRank = latent ? keys.OptionalInt("q_lora_rank") : null,
            KvLoraRank = latent ? keys.Int("kv_lora_rank") : 0,
            QkNopeHeadDim = latent ? keys.Int("qk_nope_head_dim") : 0,
            QkRopeHeadDim = latent ? keys.Int("qk_rope_head_dim") : 0,
            VHeadDim = latent ? keys.Int("v_head_dim") : 0,
            HeadDim = latent ? null : keys.OptionalInt("head_dim"),
            NRoutedExperts = routed ? keys.Int("n_routed_experts") : 0,
            NSharedExperts = routed ? keys.OptionalInt("n_shared_experts") ?? 0 : 0,
            NumExpertsPerTok = routed ? keys.Int("num_experts_per_tok") : 0,
            MoeIntermediateSize = routed ? keys.Int("moe_intermediate_size") : 0,
            FirstKDenseReplace = experts ? dense : 0,
            ScoringFunc = keys.Text("scoring_func", "sigmoid"),
            TopkMethod = keys.Text("topk_method", "noaux_tc"),
            NormTopkProb = keys.Flag("norm_topk_prob", true),
            RoutedScalingFactor = keys.Number("routed_scaling_factor", 1.0),
            NGroup = keys.OptionalInt("n_group") ?? 1,
            TopkGroup = keys.OptionalInt("topk_group") ?? 1,
            RopeTheta = keys.Number("rope_theta", rope.TryGetProperty("rope_theta", out var theta) ? theta.GetDouble() : 10_000.0),
            RopeInterleave = keys.Flag("rope_interleave", latent),
            RmsNormEps = keys.Number("rms_norm_eps", 1e-6),
            TieWordEmbeddings = keys.Flag("tie_word_embeddings", false),
            InitializerRange = keys.Number("initializer_range", 0.02),
            BosTokenId = keys.OptionalInt("bos_token_id"),
            EosTokenId = keys.OptionalInt("eos_token_id"),
            PadTokenId = keys.OptionalInt("pad_token_id"),
        }.Validated(file);
    }

    /// <summary>The <c>config.json</c> that transformers, llama.cpp's converter and vLLM read for this family.</summary>
    public string ToJson()
    {
        var o = new JsonObject
        {
            ["architectures"] = new JsonArray(ModelType switch { Llama => "LlamaForCausalLM", Glm4Moe => "Glm4MoeForCausalLM", _ => "DeepseekV3ForCausalLM" }),
            ["model_type"] = ModelType,
            ["vocab_size"] = VocabSize,
            ["hidden_size"] = HiddenSize,
            ["num_hidden_layers"] = NumHiddenLayers,
            ["num_attention_heads"] = NumAttentionHeads,
            ["num_key_value_heads"] = IsLatent ? NumAttentionHeads : NumKeyValueHeads,
            ["max_position_embeddings"] = MaxPositionEmbeddings,
            ["intermediate_size"] = IntermediateSize,
            ["hidden_act"] = "silu",
            ["attention_bias"] = false,
            ["attention_dropout"] = 0.0,
            ["rope_theta"] = RopeTheta,
            ["rope_scaling"] = null,
            ["rms_norm_eps"] = RmsNormEps,
            ["initializer_range"] = InitializerRange,
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["use_cache"] = true,
            ["torch_dtype"] = "float32",
            ["bos_token_id"] = BosTokenId,
            ["eos_token_id"] = EosTokenId,
            ["pad_token_id"] = PadTokenId,
        };
        if (IsLatent)
        {
            o["q_lora_rank"] = QLoraRank;
            o["kv_lora_rank"] = KvLoraRank;
            o["qk_nope_head_dim"] = QkNopeHeadDim;
            o["qk_rope_head_dim"] = QkRopeHeadDim;
            o["qk_head_dim"] = QkHeadDim;
            o["v_head_dim"] = VHeadDim;
            o["head_dim"] = QkRopeHeadDim;
            o["rope_interleave"] = RopeInterleave;
        }
        else
        {
            o["head_dim"] = MultiHeadDim;
            o["mlp_bias"] = ModelType == Llama ? false : null;
        }
        if (ModelType != Llama)
        {
            o["first_k_dense_replace"] = FirstKDenseReplace;
            o["n_routed_experts"] = IsMoE ? NRoutedExperts : null;
            o["n_shared_experts"] = IsMoE ? NSharedExperts : null;
            o["num_experts_per_tok"] = IsMoE ? NumExpertsPerTok : null;
            o["moe_intermediate_size"] = IsMoE ? MoeIntermediateSize : null;
            o["scoring_func"] = ScoringFunc;
            o["topk_method"] = TopkMethod;
            o["norm_topk_prob"] = NormTopkProb;
            o["routed_scaling_factor"] = RoutedScalingFactor;
            o["n_group"] = NGroup;
            o["topk_group"] = TopkGroup;
        }
        if (ModelType == Glm4Moe)
        {
            o["partial_rotary_factor"] = 1.0;
            o["use_qk_norm"] = false;
            o.Remove("mlp_bias");
        }
        return o.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    private sealed class Keys(JsonElement root, string file)
    {
        public int Int(string key) => OptionalInt(key) ?? throw new CheckpointException($"{file}: {key} is missing; expected a whole number.");

        public int Int(string key, int fallback) => OptionalInt(key) ?? fallback;

        public int? OptionalInt(string key) => !Find(key, out var value) ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number
            : throw Wrong(key, value, "a whole number");

        public double Number(string key, double fallback) => !Find(key, out var value) ? fallback
            : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(key, value, "a number");

        public bool Flag(string key, bool fallback) => !Find(key, out var value) ? fallback
            : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, value, "true or false");

        public string Text(string key, string fallback) => !Find(key, out var value) ? fallback
            : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(key, value, "a string");

        /// <summary>rope_parameters, where newer configurations hold rope_theta; an empty object if absent.</summary>
        public JsonElement Rope()
        {
            if (!Find("rope_parameters", out var rope))
            {
                return JsonSerializer.SerializeToElement(new JsonObject());
            }
            if (rope.ValueKind != JsonValueKind.Object)
            {
                throw Wrong("rope_parameters", rope, "an object");
            }
            foreach (var property in rope.EnumerateObject())
            {
                bool number = property.Value.ValueKind == JsonValueKind.Number;
                bool plain = property.Name switch
                {
                    "rope_type" => property.Value.ValueKind == JsonValueKind.String && property.Value.GetString() == "default",
                    "partial_rotary_factor" => number && property.Value.GetDouble() == 1,
                    "rope_theta" => number && (!Find("rope_theta", out _) || Number("rope_theta", 0) == property.Value.GetDouble()),
                    _ => false,
                };
                if (!plain)
                {
                    throw Wrong($"rope_parameters.{property.Name}", property.Value,
                        "only rope_type \"default\", a rope_theta equal to the one beside rope_parameters if there is one, and partial_rotary_factor 1.0");
                }
            }
            return rope;
        }

        private bool Find(string key, out JsonElement value) => root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

        private CheckpointException Wrong(string key, JsonElement value, string expected) =>
            new($"{file}: {key} is {value.GetRawText()}; expected {expected}.");
    }
}
