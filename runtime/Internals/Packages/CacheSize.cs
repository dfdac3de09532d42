using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>What a token takes in the cache, beside what it would take if every head kept its keys and values.</summary>
internal static class CacheSize
{
    private const string HeadsCache = "cache of all heads";

    /// <summary>Numbers of a token in all layers: key and value.</summary>
    public static Int128 Numbers(GenAIConfig config) => (Int128)2 * config.Layers * config.KeyValueHeads * config.HeadSize;

    /// <exception cref="LatentMoE.Checkpoints.CheckpointException">The graph lacks the cache that the configuration names.</exception>
    public static TensorElementType TypeOf(OnnxGraph graph, GenAIConfig config) => graph.Input(GenAIConfig.OfLayer(config.PastKey, 0)).Type;

    /// <exception cref="LatentMoE.Checkpoints.CheckpointException">The cache of the configuration is larger than there can be.</exception>
    public static long Whole(OnnxGraph graph, Int128 count) =>
        GraphSize.Whole(Path.Combine(Path.GetDirectoryName(graph.FilePath)!, GenAIConfig.FileName), "size of the cache", count);

    public static MemoryReport Report(OnnxGraph graph, GenAIConfig config, int contextLength)
    {
        int bytes = GraphSize.ElementBytes(TypeOf(graph, config));
        long token = Whole(graph, Numbers(config) * bytes);
        long? heads = MultiHeadNumbers(graph, config) is long numbers ? GraphSize.Whole(graph.FilePath, HeadsCache, (Int128)numbers * bytes) : null;
        return new MemoryReport(GraphSize.Bytes(graph), token, Whole(graph, (Int128)token * contextLength), heads);
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
        if (heads < 1)
        {
            throw graph.Wrong(attention, $"has {heads} heads; expected at least one");
        }
        long width = attention.Type == "LatentAttention" ? graph.Weight(norm, 2).Elements / heads : config.HeadSize;
        return GraphSize.Whole(graph.FilePath, HeadsCache, (Int128)2 * config.Layers * heads * width);
    }
}
