using System.Text.Json;
using System.Text.Json.Nodes;

namespace LatentMoE.Checkpoints.Internals;

/// <summary>
/// The keys of <c>config.json</c> in three lists: those that the model is read from, those that cannot change what it computes, and
/// all others, which are refused: an unknown key may stand for another model.
/// </summary>
internal static class ConfigKeys
{
    // With another value, the model is one that we would compute wrongly.
    private static readonly (string Key, string Plain)[] Fixed =
    [
        ("hidden_act", "\"silu\""), ("attention_bias", "false"), ("mlp_bias", "false"), ("use_qk_norm", "false"),
        ("partial_rotary_factor", "1.0"), ("moe_layer_freq", "1"), ("sliding_window", "null"), ("use_sliding_window", "false"),
        ("is_encoder_decoder", "false"), ("add_cross_attention", "false"), ("tie_encoder_decoder", "false"), ("pruned_heads", "{}"),
    ];

    private static readonly string[] Common =
    [
        "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "max_position_embeddings", "intermediate_size", "head_dim", "rope_theta", "rope_scaling", "rope_parameters", "rms_norm_eps",
        "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "quantization_config",
    ];

    private static readonly string[] Latent =
        ["q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "qk_head_dim", "v_head_dim", "rope_interleave"];

    private static readonly string[] Experts =
    [
        "n_routed_experts", "n_shared_experts", "num_experts_per_tok", "moe_intermediate_size", "first_k_dense_replace", "scoring_func",
        "topk_method", "norm_topk_prob", "routed_scaling_factor", "n_group", "topk_group", "num_nextn_predict_layers",
    ];

    // About files, training, classes of other programs, and the ways of transformers to generate.
    private static readonly HashSet<string> Inert =
    [
        "_name_or_path", "name_or_path", "architectures", "auto_map", "transformers_version", "torch_dtype", "dtype", "use_cache",
        "initializer_range", "attention_dropout", "hidden_dropout", "aux_loss_alpha", "seq_aux", "router_aux_loss_coef", "output_router_logits",
        "ep_size", "pretraining_tp", "unsloth_fixed", "unsloth_version", "_attn_implementation", "_attn_implementation_autoset", "attn_implementation",
        "use_bfloat16", "torchscript", "tokenizer_class", "prefix", "task_specific_params", "problem_type", "id2label", "label2id", "num_labels",
        "finetuning_task", "return_dict", "use_return_dict", "output_attentions", "output_hidden_states", "is_decoder", "gradient_checkpointing",
        "chunk_size_feed_forward", "tf_legacy_loss", "cross_attention_hidden_size", "sep_token_id", "decoder_start_token_id",
        "max_window_layers", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature",
        "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
        "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
        "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
    ];

    /// <summary>Refuses the keys whose values mean another model.</summary>
    public static void RequirePlain(JsonElement root, string file)
    {
        foreach (var (key, plain) in Fixed)
        {
            if (root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null
                && !JsonNode.DeepEquals(JsonNode.Parse(value.GetRawText()), JsonNode.Parse(plain)))
            {
                throw new CheckpointException($"{file}: {key} is {value.GetRawText()}; only {plain} is supported.");
            }
        }
    }

    /// <summary>The keys without effect, once none is unknown.</summary>
    /// <exception cref="CheckpointException">A key is in none of the lists.</exception>
    public static IReadOnlyList<string> Ignored(JsonElement root, ModelConfig model, string file)
    {
        HashSet<string> used =
        [
            .. Common, .. Fixed.Select(f => f.Key), .. model.IsLatent ? Latent : [],
            .. model.ModelType == ModelConfig.Llama ? [] : Experts,
        ];
        new JsonKeys(root, file).RequireKnown([.. used, .. Inert], $"It is an unknown key of {model.ModelType}, which may change what the model "
            + "computes: if it does not, take it out of config.json.");
        return [.. root.EnumerateObject().Select(p => p.Name).Where(Inert.Contains)];
    }
}
