using System.Text.Json;
using LatentMoE.Checkpoints.Internals;

namespace LatentMoE.Checkpoints;

/// <summary>
/// All that a checkpoint's <c>config.json</c> says: every key is used, or known to be without effect on what the model computes, or
/// refused by name.
/// </summary>
/// <param name="Model">The model.</param>
/// <param name="IgnoredKeys">Keys without effect, in the order of the file.</param>
/// <param name="Quantization">How weights in F8_E4M3 are scaled; null where there are none.</param>
/// <param name="ExtraLayers">
/// Layers behind the model's own that predict further tokens (num_nextn_predict_layers, arXiv 2412.19437, section 2.2). They help
/// training and speculation; the model's own logits do not depend on them.
/// </param>
public sealed record CheckpointConfig(ModelConfig Model, IReadOnlyList<string> IgnoredKeys, BlockQuantization? Quantization, int ExtraLayers)
{
    /// <summary>Reads and validates <c>config.json</c>, given the file or its folder.</summary>
    /// <exception cref="CheckpointException">The file is missing, is not JSON, lacks a key, holds an unknown one, or an impossible value.</exception>
    public static CheckpointConfig Load(string path)
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
        var model = ModelConfig.Read(root, file, published: true);
        var ignored = ConfigKeys.Ignored(root, model, file);
        var keys = new JsonKeys(root, file);
        int extra = keys.Int("num_nextn_predict_layers", 0);
        return extra < 0 ? throw keys.Wrong("num_nextn_predict_layers", "0 or more")
            : new(model, ignored, QuantizationKeys.Read(keys), extra);
    }
}
