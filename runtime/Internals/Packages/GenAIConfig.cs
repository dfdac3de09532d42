using System.Text.Json;
using LatentMoE.Checkpoints;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>What the runtime needs of <c>genai_config.json</c>, ONNX Runtime GenAI's description of a decoder.</summary>
internal sealed record GenAIConfig
{
    public const string FileName = "genai_config.json";

    public required string ModelFile { get; init; }
    public required int ContextLength { get; init; }
    public required int VocabularySize { get; init; }
    public required int Layers { get; init; }
    public required int KeyValueHeads { get; init; }
    public required int HeadSize { get; init; }
    public required IReadOnlySet<int> EndTokens { get; init; }
    public int? BeginToken { get; init; }
    public required string InputIds { get; init; }
    public required string AttentionMask { get; init; }
    public required string PositionIds { get; init; }
    public required string Logits { get; init; }
    public required string PastKey { get; init; }
    public required string PastValue { get; init; }
    public required string PresentKey { get; init; }
    public required string PresentValue { get; init; }

    /// <summary>The name of a layer's tensor from a pattern such as <c>past_key_values.%d.key</c>.</summary>
    public static string OfLayer(string pattern, int layer) => pattern.Replace("%d", layer.ToString(), StringComparison.Ordinal);

    /// <exception cref="CheckpointException">The file is not JSON, lacks a key, or holds an impossible value.</exception>
    public static GenAIConfig Load(string folder)
    {
        var file = JsonFile.Open(Path.Combine(folder, FileName));
        string type = file.Text("model.type");
        file.Require(type == "decoder", "model.type", $"is \"{type}\"; expected \"decoder\"");
        string model = file.Text("model.decoder.filename", "model.onnx");
        bool plain = model.Length > 0 && Path.GetFileName(model) == model;
        file.Require(plain, "model.decoder.filename", $"is \"{model}\"; expected a file name without a folder");
        return new GenAIConfig
        {
            ModelFile = model,
            ContextLength = file.Positive("model.context_length"),
            VocabularySize = file.Positive("model.vocab_size"),
            Layers = file.Positive("model.decoder.num_hidden_layers"),
            KeyValueHeads = file.Positive("model.decoder.num_key_value_heads"),
            HeadSize = file.Positive("model.decoder.head_size"),
            EndTokens = file.Ids("model.eos_token_id").ToHashSet(),
            BeginToken = file.Ids("model.bos_token_id").Cast<int?>().FirstOrDefault(),
            InputIds = file.Text("model.decoder.inputs.input_ids", "input_ids"),
            AttentionMask = file.Text("model.decoder.inputs.attention_mask", "attention_mask"),
            PositionIds = file.Text("model.decoder.inputs.position_ids", "position_ids"),
            PastKey = Pattern(file, "model.decoder.inputs.past_key_names", "past_key_values.%d.key"),
            PastValue = Pattern(file, "model.decoder.inputs.past_value_names", "past_key_values.%d.value"),
            Logits = file.Text("model.decoder.outputs.logits", "logits"),
            PresentKey = Pattern(file, "model.decoder.outputs.present_key_names", "present.%d.key"),
            PresentValue = Pattern(file, "model.decoder.outputs.present_value_names", "present.%d.value"),
        };
    }

    private static string Pattern(JsonFile file, string key, string fallback)
    {
        string pattern = file.Text(key, fallback);
        file.Require(pattern.Contains("%d", StringComparison.Ordinal), key, $"is \"{pattern}\"; expected a name with %d for the layer");
        return pattern;
    }
}
