using LatentMoE.Checkpoints;

namespace LatentMoE.Export.Graph;

/// <summary>What ONNX Runtime's GroupQueryAttention, which the multi-head twins use, asks of a head.</summary>
internal static class GroupQueryLimits
{
    /// <exception cref="CheckpointException">The head cannot be rotated by it.</exception>
    public static void Check(ModelConfig config, string checkpoint)
    {
        if (!config.IsLatent && config.MultiHeadDim % 16 != 0)
        {
            throw new CheckpointException($"{checkpoint}: head_dim is {config.MultiHeadDim}; ONNX Runtime's GroupQueryAttention rotates "
                + "heads whose width is a multiple of 16.");
        }
    }
}
