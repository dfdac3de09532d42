using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Package;

/// <summary>
/// <c>genai_config.json</c>: makes the folder one that ONNX Runtime GenAI loads. Unknown keys and nulls are fatal there, so it
/// holds nothing of ours; and it names no operator library, so that it loads everywhere.
/// </summary>
internal static class GenAIConfig
{
    public const string FileName = "genai_config.json";

    public static void Write(string folder, ModelConfig config, TokenizerFiles tokens) =>
        File.WriteAllText(Path.Combine(folder, FileName), Create(config, tokens).ToJsonString(PackageJson.Options) + "\n");

    private static JsonObject Create(ModelConfig c, TokenizerFiles tokens)
    {
        var (heads, width) = c.CacheShape;
        var model = new JsonObject
        {
            ["type"] = "decoder",
            ["eos_token_id"] = tokens.EosTokenIds.Count == 1 ? tokens.EosTokenIds[0]
                : new JsonArray([.. tokens.EosTokenIds.Select(id => (JsonNode)id)]),
            ["pad_token_id"] = tokens.PadTokenId,
            ["context_length"] = c.MaxPositionEmbeddings,
            ["vocab_size"] = c.VocabSize,
            ["decoder"] = new JsonObject
            {
                ["filename"] = ModelFiles.Model,
                ["head_size"] = width,
                ["hidden_size"] = c.HiddenSize,
                ["num_attention_heads"] = c.NumAttentionHeads,
                ["num_key_value_heads"] = heads,
                ["num_hidden_layers"] = c.NumHiddenLayers,
                ["session_options"] = new JsonObject(),
                ["inputs"] = new JsonObject
                {
                    ["input_ids"] = "input_ids",
                    ["attention_mask"] = "attention_mask",
                    ["position_ids"] = "position_ids",
                    ["past_key_names"] = "past_key_values.%d.key",
                    ["past_value_names"] = "past_key_values.%d.value",
                },
                ["outputs"] = new JsonObject
                {
                    ["logits"] = "logits",
                    ["present_key_names"] = "present.%d.key",
                    ["present_value_names"] = "present.%d.value",
                },
            },
        };
        if (tokens.BosTokenId is int bos)
        {
            model["bos_token_id"] = bos;
        }
        return new JsonObject
        {
            ["model"] = model,
            ["search"] = new JsonObject
            {
                ["max_length"] = c.MaxPositionEmbeddings,
                ["do_sample"] = false,
                ["past_present_share_buffer"] = false,
            },
        };
    }
}
