using LatentMoE.Checkpoints;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Graph;

/// <summary>What ONNX Runtime's GroupQueryAttention, which the multi-head twins use, asks of types and heads.</summary>
internal static class GroupQueryLimits
{
    /// <exception cref="CheckpointException">It has no kernel for the types, or cannot rotate the head.</exception>
    public static void Check(ModelConfig config, string origin, DataType cache, DataType activations)
    {
        if (config.IsLatent)
        {
            return;
        }
        if (cache != activations)
        {
            throw new CheckpointException($"{origin}: ONNX Runtime's GroupQueryAttention keeps its cache in the type of its activations. "
                + "Export with --cache=f32, or with --activations=f16.");
        }
        if (activations == DataType.Bfloat16)
        {
            throw new CheckpointException($"{origin}: ONNX Runtime's GroupQueryAttention has no bfloat16 kernel on the CPU, where a package "
                + "is compared with its checkpoint. Export with --activations=f16 or f32.");
        }
        if (config.MultiHeadDim % 16 != 0)
        {
            throw new CheckpointException($"{origin}: head_dim is {config.MultiHeadDim}; ONNX Runtime's GroupQueryAttention rotates "
                + "heads whose width is a multiple of 16.");
        }
    }
}
