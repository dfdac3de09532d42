using LatentMoE.Checkpoints;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>What ONNX Runtime's GroupQueryAttention, which the multi-head twins use, asks of a head.</summary>
internal static class GroupQueryLimits
{
    /// <exception cref="CheckpointException">The head cannot be rotated by it, or the cache is of another type than the activations.</exception>
    public static void Check(ModelConfig config, string origin, DataType cache)
    {
        if (!config.IsLatent && cache != DataType.Float)
        {
            throw new CheckpointException($"{origin}: ONNX Runtime's GroupQueryAttention keeps its cache in the type of its activations, "
                + "float32. Export with --cache=f32.");
        }
        if (!config.IsLatent && config.MultiHeadDim % 16 != 0)
        {
            throw new CheckpointException($"{origin}: head_dim is {config.MultiHeadDim}; ONNX Runtime's GroupQueryAttention rotates "
                + "heads whose width is a multiple of 16.");
        }
    }
}
