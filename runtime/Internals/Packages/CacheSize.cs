using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>What a token takes in the cache, beside what it would take if every head kept its keys and values.</summary>
internal static class CacheSize
{
    /// <summary>Numbers of a token in all layers: key and value.</summary>
    public static long Numbers(GenAIConfig config) => 2L * config.Layers * config.KeyValueHeads * config.HeadSize;

    /// <exception cref="LatentMoE.Checkpoints.CheckpointException">The graph lacks the cache that the configuration names.</exception>
    public static TensorElementType TypeOf(OnnxGraph graph, GenAIConfig config) => graph.Input(GenAIConfig.OfLayer(config.PastKey, 0)).Type;

    public static MemoryReport Report(OnnxGraph graph, GenAIConfig config, int contextLength)
    {
        int bytes = GraphSize.ElementBytes(TypeOf(graph, config));
        long token = Numbers(config) * bytes;
        return new MemoryReport(GraphSize.Bytes(graph), token, token * contextLength, MultiHeadNumbers(graph, config) * bytes);
    }

    // Heads of width hidden_size / num_heads, as in the multi-head twin of a latent model.
    private static long? MultiHeadNumbers(OnnxGraph graph, GenAIConfig config)
    {
        var attention = graph.Nodes.FirstOrDefault(node => node.Type is "LatentAttention" or "GroupQueryAttention");
        var norm = graph.Nodes.FirstOrDefault(node => node.Type == "AddRmsNorm");
        if (attention is null || norm is null)
        {
            return null;
        }
        long heads = graph.Int(attention, "num_heads");
        long width = attention.Type == "LatentAttention" ? graph.Weight(norm, 2).Elements / Math.Max(heads, 1) : config.HeadSize;
        return 2 * config.Layers * heads * width;
    }
}
