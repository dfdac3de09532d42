using LatentMoE.Checkpoints;
using LatentMoE.Training.Data;
using LatentMoE.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Evaluation;

/// <summary>
/// <c>reference.safetensors</c>: token ids and the logits that this model computes for them in float32 on the CPU, against which
/// every later form of the model is checked. One row is held-out text, the other random ids.
/// </summary>
public static class ReferenceLogits
{
    private const int Length = 64;

    /// <param name="model">On the CPU, with float32 weights.</param>
    /// <param name="text">The stream whose beginning is the first row.</param>
    /// <param name="path">The file to write: <c>input_ids</c> I64 [2, T], <c>logits</c> F32 [2, T, vocabulary].</param>
    public static void Write(Transformer model, TokenStream text, string path)
    {
        long[] ids = Ids(model.Config, text, out int length);
        using var scope = NewDisposeScope();
        var logits = Compute(model, ids, length);
        SafetensorsWriter.Write(path, [SafetensorsEntry.Of("input_ids", [2, length], ids), TensorBytes.Entry("logits", logits)]);
    }

    /// <summary>Logits [2, T, vocabulary] of row-major ids, in float32 and evaluation mode.</summary>
    public static Tensor Compute(Transformer model, long[] ids, int length)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        model.eval();
        model.ComputeType = ScalarType.Float32;
        return model.call(tensor(ids, [ids.Length / length, length])).MoveToOuterDisposeScope();
    }

    private static long[] Ids(ModelConfig config, TokenStream text, out int length)
    {
        length = (int)Math.Min(Math.Min(Length, config.MaxPositionEmbeddings), text.Count);
        var ids = new long[2 * length];
        text.Read(0, ids.AsSpan(0, length));
        var random = new Random(1);
        for (int i = length; i < ids.Length; i++)
        {
            ids[i] = random.Next(config.VocabSize);
        }
        return ids;
    }
}
