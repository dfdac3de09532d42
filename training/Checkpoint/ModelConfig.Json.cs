using System.Text.Json;
using LatentMoE.Checkpoints.Internals;

namespace LatentMoE.Checkpoints;

public sealed partial record ModelConfig
{
    /// <summary>The model of a <c>config.json</c>, given the file or its folder; <see cref="CheckpointConfig.Load"/> tells the rest of it.</summary>
    /// <exception cref="CheckpointException">The file is missing, is not JSON, lacks a key, holds an unknown one, or an impossible value.</exception>
    public static ModelConfig Load(string path) => CheckpointConfig.Load(path).Model;

    /// <summary>Reads the keys of <c>config.json</c> from an object; <paramref name="file"/> names it in errors. Others are left alone.</summary>
    public static ModelConfig FromJson(JsonElement root, string file) => Read(root, file, published: false);

    /// <param name="published">
    /// Whether routing keys that are missing have the values of transformers' configuration of the family, rather than ours: those that
    /// do not show in the tensors.
    /// </param>
    internal static ModelConfig Read(JsonElement root, string file, bool published)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CheckpointException($"{file}: expected a JSON object, found {root.ValueKind}.");
        }
        var keys = new JsonKeys(root, file);
        string type = keys.Text("model_type", DeepseekV3);
        if (type is not (DeepseekV3 or DeepseekV2 or Llama or Glm4Moe))
        {
            throw new CheckpointException(
                $"{file}: model_type is \"{type}\"; supported are \"{DeepseekV3}\", \"{DeepseekV2}\", \"{Llama}\" and \"{Glm4Moe}\".");
        }
        ConfigKeys.RequirePlain(root, file);
        bool latent = type is DeepseekV3 or DeepseekV2, experts = type != Llama, second = type == DeepseekV2;
        var (theta, scaling) = RopeKeys.Read(keys, latent);
        if (type == Glm4Moe && !keys.Has("partial_rotary_factor") && keys.Object("rope_parameters")?.Has("partial_rotary_factor") != true)
        {
            throw new CheckpointException($"{file}: partial_rotary_factor is missing, which means 0.5 to Hugging Face; only 1.0 is supported: add it if the model was trained so.");
        }
        int layers = keys.Int("num_hidden_layers"), heads = keys.Int("num_attention_heads");
        int dense = experts ? keys.Int("first_k_dense_replace", 0) : layers;
        bool routed = experts && dense < layers, third = published && type == DeepseekV3;
        var config = new ModelConfig
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
            ScoringFunc = keys.Text("scoring_func", second ? "softmax" : "sigmoid"),
            TopkMethod = keys.Text("topk_method", second ? "greedy" : "noaux_tc"),
            NormTopkProb = keys.Flag("norm_topk_prob", !second),
            RoutedScalingFactor = keys.Number("routed_scaling_factor", third ? 2.5 : 1.0),
            NGroup = keys.OptionalInt("n_group") ?? (third && routed ? 8 : 1),
            TopkGroup = keys.OptionalInt("topk_group") ?? (third && routed ? 4 : 1),
            RopeTheta = theta,
            RopeScaling = scaling,
            RopeInterleave = keys.Flag("rope_interleave", latent),
            RmsNormEps = keys.Number("rms_norm_eps", 1e-6),
            TieWordEmbeddings = keys.Flag("tie_word_embeddings", false),
            InitializerRange = keys.Number("initializer_range", 0.02),
            BosTokenId = keys.FirstInt("bos_token_id"),
            EosTokenId = keys.FirstInt("eos_token_id"),
            PadTokenId = keys.OptionalInt("pad_token_id"),
        }.Validated(file);
        return latent ? config.WithConsistentHeads(keys) : config;
    }

    // Keys that say again what others have said.
    private ModelConfig WithConsistentHeads(JsonKeys keys)
    {
        void Need(string key, int value, string why)
        {
            if (keys.Int(key, value) != value)
            {
                throw keys.Wrong(key, $"{value}: {why}");
            }
        }
        Need("num_key_value_heads", NumAttentionHeads, "latent attention has a key for each of num_attention_heads");
        Need("qk_head_dim", QkHeadDim, "qk_nope_head_dim + qk_rope_head_dim");
        Need("head_dim", QkRopeHeadDim, "qk_rope_head_dim");
        return this;
    }
}
