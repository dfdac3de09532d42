using Microsoft.ML.OnnxRuntime;

namespace LatentMoE.Export.Parity;

/// <summary>A way to take sequences through a decoder.</summary>
/// <param name="Steps">Tokens of every call.</param>
/// <param name="Room">Columns of a cache that is past and present at once; null for one that grows.</param>
internal sealed record DecodingMode(string Name, GraphOptimizationLevel Level, IReadOnlyList<int> Steps, int? Room)
{
    /// <summary>
    /// full: the whole sequence at once; grow and share: token by token; chunk: the first half at once. Plain: no optimisation.
    /// </summary>
    public static IReadOnlyList<DecodingMode> All(int tokens)
    {
        const GraphOptimizationLevel Optimised = GraphOptimizationLevel.ORT_ENABLE_ALL, Plain = GraphOptimizationLevel.ORT_DISABLE_ALL;
        int half = tokens / 2, room = tokens + 3;
        int[] whole = [tokens], single = [.. Enumerable.Repeat(1, tokens)];
        int[] mixed = half > 0 ? [half, .. Enumerable.Repeat(1, tokens - half)] : whole;
        return
        [
            new("full", Optimised, whole, null), new("grow", Optimised, single, null), new("share", Optimised, single, room),
            new("chunk, share", Optimised, mixed, room), new("full, plain", Plain, whole, null),
        ];
    }
}
