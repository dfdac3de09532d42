using LatentMoE.Checkpoints;
using LatentMoE.Export.Package.Internals;

namespace LatentMoE.Export.Parity;

/// <summary>What training computed for a few probe sequences: <c>reference.safetensors</c> of a checkpoint.</summary>
/// <param name="InputIds">[Rows, Tokens]</param>
/// <param name="Logits">[Rows, Tokens, vocab_size]</param>
internal sealed record ReferenceLogits(int Rows, int Tokens, long[] InputIds, float[] Logits)
{
    public const string FileName = "reference.safetensors";

    /// <summary>Null where the checkpoint has none.</summary>
    /// <exception cref="CheckpointException">The file is damaged or is not of this configuration.</exception>
    public static ReferenceLogits? Load(string checkpoint, ModelConfig config)
    {
        string path = Path.Combine(checkpoint, FileName);
        if (!File.Exists(path))
        {
            return null;
        }
        using var file = CheckpointRead.From(path, () => SafetensorsFile.Open(path));
        var ids = file["input_ids"];
        if (ids.DType != SafetensorsType.I64 || ids.Shape.Count != 2 || ids.Length == 0 || ids.Shape[1] > config.MaxPositionEmbeddings)
        {
            throw new CheckpointException($"{path}: input_ids is {ids.DType} [{string.Join(", ", ids.Shape)}]; expected I64 [rows, "
                + $"tokens] with 1 to {config.MaxPositionEmbeddings} tokens.");
        }
        long[] values = ids.Span<long>().ToArray();
        if (values.FirstOrDefault(id => id < 0 || id >= config.VocabSize, 0) is var wrong and not 0)
        {
            throw new CheckpointException($"{path}: input_ids holds {wrong}; expected ids from 0 to {config.VocabSize - 1}.");
        }
        float[] logits = file["logits"].Expect(ids.Shape[0], ids.Shape[1], config.VocabSize).ToFloat32();
        return logits.All(float.IsFinite) ? new((int)ids.Shape[0], (int)ids.Shape[1], values, logits)
            : throw new CheckpointException($"{path}: logits holds a value that is not finite; the training run diverged.");
    }
}
