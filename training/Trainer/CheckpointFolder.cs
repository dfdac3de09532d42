using System.Text.Json;
using System.Text.Json.Nodes;
using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Evaluation;
using LatentMoE.Training.Model;
using TorchSharp;

namespace LatentMoE.Training.Trainer;

/// <summary>
/// The part of a checkpoint folder that other programs read: Hugging Face's files, and the reference logits. The latter go first
/// and come last, so that logits in a folder always belong to the weights beside them.
/// </summary>
public static class CheckpointFolder
{
    private const string Reference = "reference.safetensors";

    /// <summary>Writes config.json, the tokenizer, generation_config.json, model.safetensors and reference.safetensors, each whole or not at all.</summary>
    public static void Write(Transformer model, PreparedCorpus corpus, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Delete(Path.Combine(folder, Reference));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), model.Config.ToJson());
        AtomicFile.WriteText(Path.Combine(folder, "generation_config.json"), GenerationConfig(model.Config));
        corpus.CopyTokenizerTo(folder);
        CheckpointNames.Save(model, Path.Combine(folder, "model.safetensors"));
        using var fresh = Load(folder);
        ReferenceLogits.Write(fresh, corpus.Validation, Path.Combine(folder, Reference));
    }

    /// <summary>The model of a checkpoint folder, on the CPU with float32 weights.</summary>
    /// <exception cref="CheckpointException">A file is missing, damaged, or does not fit the others.</exception>
    public static Transformer Load(string folder)
    {
        var config = CheckpointConfig.Load(folder);
        using var tensors = CheckpointTensors.Open(folder, config);
        var model = new Transformer(config.Model);
        try
        {
            CheckpointNames.Load(model, tensors);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static string GenerationConfig(ModelConfig config) => new JsonObject
    {
        ["_from_model_config"] = true,
        ["bos_token_id"] = config.BosTokenId,
        ["eos_token_id"] = config.EosTokenId,
        ["pad_token_id"] = config.PadTokenId,
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
}
