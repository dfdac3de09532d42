namespace LatentMoE.Tests.Support.Field;

/// <summary>
/// config.json as the field publishes it, key for key, with small numbers: between them every switch that these families have. The
/// sizes are small beside the blocks of F8_E4M3, and none is a multiple of them.
/// </summary>
public static class FieldConfigs
{
    /// <summary>After DeepSeek-V2-Lite: whole queries, greedy softmax routing, a first dense layer, YaRN with both magnitudes 0.707.</summary>
    public const string V2Lite = """
        {
          "architectures": ["DeepseekV2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
          "auto_map": { "AutoConfig": "configuration_deepseek.DeepseekV2Config", "AutoModelForCausalLM": "modeling_deepseek.DeepseekV2ForCausalLM" },
          "aux_loss_alpha": 0.001, "bos_token_id": 0, "eos_token_id": 1, "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 64,
          "initializer_range": 0.02, "intermediate_size": 96, "kv_lora_rank": 32, "max_position_embeddings": 256, "model_type": "deepseek_v2",
          "moe_intermediate_size": 32, "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 8, "n_shared_experts": 2, "norm_topk_prob": false,
          "num_attention_heads": 4, "num_experts_per_tok": 3, "num_hidden_layers": 3, "num_key_value_heads": 4, "pretraining_tp": 1,
          "q_lora_rank": null, "qk_nope_head_dim": 16, "qk_rope_head_dim": 16, "rms_norm_eps": 1e-06,
          "rope_scaling": { "beta_fast": 32, "beta_slow": 1, "factor": 4, "mscale": 0.707, "mscale_all_dim": 0.707, "original_max_position_embeddings": 64, "type": "yarn" },
          "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax", "seq_aux": true, "tie_word_embeddings": false,
          "topk_group": 1, "topk_method": "greedy", "torch_dtype": "bfloat16", "transformers_version": "4.33.1", "use_cache": true,
          "v_head_dim": 16, "vocab_size": 288
        }
        """;

    /// <summary>After DeepSeek-V2: low-rank queries, groups by their best expert, weights scaled by 16 and not normalised.</summary>
    public const string V2 = """
        {
          "architectures": ["DeepseekV2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "aux_loss_alpha": 0.003, "bos_token_id": 0,
          "eos_token_id": [1, 0], "ep_size": 1, "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 48, "initializer_range": 0.02,
          "intermediate_size": 80, "kv_lora_rank": 24, "max_position_embeddings": 320, "model_type": "deepseek_v2", "moe_intermediate_size": 20,
          "moe_layer_freq": 1, "n_group": 4, "n_routed_experts": 12, "n_shared_experts": 1, "norm_topk_prob": false, "num_attention_heads": 3,
          "num_experts_per_tok": 4, "num_hidden_layers": 2, "num_key_value_heads": 3, "pretraining_tp": 1, "q_lora_rank": 28, "qk_nope_head_dim": 12,
          "qk_rope_head_dim": 8, "rms_norm_eps": 1e-06,
          "rope_scaling": { "beta_fast": 16, "beta_slow": 2, "factor": 10, "mscale": 0.707, "mscale_all_dim": 0.707, "original_max_position_embeddings": 128, "type": "yarn" },
          "rope_theta": 10000, "routed_scaling_factor": 16.0, "scoring_func": "softmax", "seq_aux": true, "tie_word_embeddings": false,
          "topk_group": 2, "topk_method": "group_limited_greedy", "torch_dtype": "bfloat16", "transformers_version": "4.39.3", "use_cache": true,
          "v_head_dim": 16, "vocab_size": 272
        }
        """;

    /// <summary>After DeepSeek-V3: sigmoid routing with a bias and groups by their best two, weights in F8_E4M3, a layer that predicts a further token.</summary>
    public const string V3 = """
        {
          "architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
          "auto_map": { "AutoConfig": "configuration_deepseek.DeepseekV3Config" }, "aux_loss_alpha": 0.001, "bos_token_id": 0, "eos_token_id": 1,
          "ep_size": 1, "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 144, "initializer_range": 0.02, "intermediate_size": 176,
          "kv_lora_rank": 40, "max_position_embeddings": 640, "model_type": "deepseek_v3", "moe_intermediate_size": 24, "moe_layer_freq": 1,
          "n_group": 4, "n_routed_experts": 8, "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 4, "num_experts_per_tok": 3,
          "num_hidden_layers": 2, "num_key_value_heads": 4, "num_nextn_predict_layers": 1, "pretraining_tp": 1, "q_lora_rank": 136,
          "qk_nope_head_dim": 32, "qk_rope_head_dim": 8,
          "quantization_config": { "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "weight_block_size": [128, 128] },
          "rms_norm_eps": 1e-06,
          "rope_scaling": { "beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 16, "type": "yarn" },
          "rope_theta": 10000, "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "seq_aux": true, "tie_word_embeddings": false,
          "topk_group": 2, "topk_method": "noaux_tc", "torch_dtype": "bfloat16", "transformers_version": "4.33.1", "use_cache": true,
          "v_head_dim": 32, "vocab_size": 272
        }
        """;

    /// <summary>
    /// As transformers 5 saves a small V3: rope_parameters, no scoring_func, no topk_method; tied, halves instead of neighbours, other
    /// magnitudes for rotated numbers and scores, and an rms_norm_eps that the norms of the latents do not share.
    /// </summary>
    public const string Tied = """
        {
          "architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 0, "dtype": "float16",
          "eos_token_id": 1, "first_k_dense_replace": 0, "head_dim": 12, "hidden_act": "silu", "hidden_size": 40, "initializer_range": 0.02,
          "intermediate_size": 64, "kv_lora_rank": 20, "max_position_embeddings": 96, "model_type": "deepseek_v3", "moe_intermediate_size": 16,
          "n_group": 1, "n_routed_experts": 6, "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 2, "num_experts_per_tok": 2,
          "num_hidden_layers": 2, "num_key_value_heads": 2, "pad_token_id": null, "pretraining_tp": 1, "q_lora_rank": 24, "qk_head_dim": 20,
          "qk_nope_head_dim": 8, "qk_rope_head_dim": 12, "rms_norm_eps": 0.01, "rope_interleave": false,
          "rope_parameters": { "beta_fast": 32.0, "beta_slow": 1.0, "factor": 8.0, "mscale": 1.0, "mscale_all_dim": 0.5, "original_max_position_embeddings": 48, "rope_theta": 500.0, "rope_type": "yarn" },
          "routed_scaling_factor": 1.8, "tie_word_embeddings": true, "topk_group": 1, "transformers_version": "5.0.0", "use_cache": true,
          "v_head_dim": 12, "vocab_size": 280
        }
        """;

    /// <summary>No scaling of positions, experts in every layer, other rotary base: after Moonlight's shape.</summary>
    public const string Plain = """
        {
          "architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "bos_token_id": 0, "eos_token_id": 1, "first_k_dense_replace": 0,
          "hidden_act": "silu", "hidden_size": 48, "intermediate_size": 64, "kv_lora_rank": 16, "max_position_embeddings": 128,
          "model_type": "deepseek_v3", "moe_intermediate_size": 16, "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 6, "n_shared_experts": 2,
          "norm_topk_prob": true, "num_attention_heads": 3, "num_experts_per_tok": 2, "num_hidden_layers": 2, "num_key_value_heads": 3,
          "num_nextn_predict_layers": 0, "q_lora_rank": null, "qk_nope_head_dim": 16, "qk_rope_head_dim": 16, "rms_norm_eps": 1e-05,
          "rope_scaling": null, "rope_theta": 50000.0, "routed_scaling_factor": 2.446, "scoring_func": "sigmoid", "tie_word_embeddings": false,
          "topk_group": 1, "topk_method": "noaux_tc", "torch_dtype": "bfloat16", "v_head_dim": 16, "vocab_size": 272
        }
        """;
}
