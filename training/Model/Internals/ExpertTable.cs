using TorchSharp;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>Where the assignments of tokens to experts stand in a table of R rows: group after group of <see cref="LoadGroups"/>.</summary>
/// <param name="Groups">They count the experts from the one with the largest load on, unless there is one group only.</param>
/// <param name="Order">Their experts [E], or null for the order that they have.</param>
/// <param name="Source">The token of each row [R]; a spare row holds token 0.</param>
/// <param name="Slots">The row of each token's each expert [N·k].</param>
internal sealed record ExpertTable(IReadOnlyList<LoadGroup> Groups, Tensor? Order, Tensor Source, Tensor Slots)
{
    /// <param name="experts">[N, k].</param>
    public static ExpertTable Of(Tensor experts, long count, int rowsOfABatch)
    {
        using var _ = no_grad();
        long assignments = experts.numel(), k = experts.shape[1];
        var device = experts.device;
        var (sorted, order) = experts.flatten().sort(stable: true);
        long[] loads = sorted.bincount(null, count).cpu().data<long>().ToArray();
        long[] ranked = [.. Enumerable.Range(0, (int)count).Select(e => (long)e).OrderByDescending(e => loads[e])];
        var groups = LoadGroups.Of([.. ranked.Select(e => loads[e])], rowsOfABatch);
        bool reordered = groups.Count > 1;
        long[] first = new long[count]; // of each expert's rows, less the assignments that stand before its own in the sorted list
        long rows = 0, before = 0;
        foreach (var group in groups)
        {
            for (int i = group.First; i < group.First + group.Count; i++, rows += group.Load)
            {
                first[reordered ? ranked[i] : i] = rows;
            }
        }
        for (int e = 0; e < count; before += loads[e++])
        {
            first[e] -= before;
        }
        var slot = tensor(first, device: device).index_select(0, sorted) + arange(assignments, dtype: ScalarType.Int64, device: device);
        return new(groups, reordered ? tensor(ranked, device: device) : null,
            zeros(rows, ScalarType.Int64, device).scatter_(0, slot, order.div(k, RoundingMode.floor)),
            empty(assignments, ScalarType.Int64, device).scatter_(0, order, slot));
    }

    /// <summary>A weight [E, ..] with its experts in the groups' order.</summary>
    public Tensor Ordered(Tensor weight) => Order is null ? weight : weight.index_select(0, Order);
}
