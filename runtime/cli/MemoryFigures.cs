using System.Text.Json.Nodes;
using LatentMoE.Runtime;

namespace LatentMoE.Cli;

/// <summary>A memory report for people and for scripts.</summary>
internal static class MemoryFigures
{
    public static void AddCache(Figures figures, MemoryReport memory)
    {
        if (memory.MultiHeadCachePerToken is > 0 and var multiHead)
        {
            figures.Add("Cache a token", $"{memory.CachePerToken:N0} bytes, {100.0 * memory.CachePerToken / multiHead:0}% of the multi-head twin's {multiHead:N0}");
        }
        else
        {
            figures.Add("Cache a token", $"{memory.CachePerToken:N0} bytes");
        }
        figures.Add("Cache a sequence", $"{memory.CachePerRow:N0} bytes for the whole context");
    }

    public static JsonObject Json(MemoryReport memory) => new()
    {
        ["weight_bytes"] = memory.Weights,
        ["cache_bytes_per_token"] = memory.CachePerToken,
        ["cache_bytes_per_row"] = memory.CachePerRow,
        ["multi_head_cache_bytes_per_token"] = memory.MultiHeadCachePerToken,
    };
}
