using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// All routed experts of a layer, SwiGLU each, as two stacked weights. Assignments are sorted by expert, so that each expert's
/// tokens are neighbours; no token is dropped. A CPU multiplies each expert's rows alone, whose number it knows for nothing; a GPU
/// pads them to the largest load, so that a layer is two batched products however many experts it has.
/// </summary>
public sealed class Experts : nn.Module<Tensor, Routing, Tensor>
{
    [ComponentName(Name = "gate_up_proj")]
    private readonly Parameter _gateUp;

    [ComponentName(Name = "down_proj")]
    private readonly Parameter _down;

    public Experts(long experts, long width, long hidden, double std, double residualStd, ScalarType dtype) : base(nameof(Experts))
    {
        _gateUp = Initial.Normal([experts, 2 * hidden, width], std, dtype);
        _down = Initial.Normal([experts, width, hidden], residualStd, dtype);
        RegisterComponents();
    }

    /// <summary>[E, 2I, hidden], gate rows first.</summary>
    public Parameter GateUp => _gateUp;

    /// <summary>[E, hidden, I].</summary>
    public Parameter Down => _down;

    /// <summary>Tokens [N, hidden] to the weighted sum of their experts, of the same shape.</summary>
    public override Tensor forward(Tensor x, Routing routing) =>
        x.device_type == DeviceType.CPU ? ForwardGrouped(x, routing) : ForwardPadded(x, routing);

    /// <summary>The sum with one product for each expert's own rows: no work for padding, however uneven the loads.</summary>
    internal Tensor ForwardGrouped(Tensor x, Routing routing)
    {
        long count = _gateUp.shape[0];
        var tokens = x.to(_gateUp.dtype); // (N, hidden)
        var (sorted, order) = routing.Experts.detach().flatten().sort(stable: true);
        long[] loads = sorted.bincount(null, count).data<long>().ToArray();
        var token = order.div(routing.Experts.shape[1], RoundingMode.floor); // (N·k), the token of each sorted assignment
        var hidden = Mlp.Gate(Grouped(tokens.index_select(0, token), _gateUp, loads)); // (N·k, I)
        var output = Grouped(hidden * routing.Weights.flatten().index_select(0, order).unsqueeze(-1), _down, loads); // (N·k, hidden)
        return zeros_like(tokens).index_add(0, token, output, 1).to(x.dtype);
    }

    /// <summary>The sum with the rows of every expert padded to the largest load: two batched products.</summary>
    internal Tensor ForwardPadded(Tensor x, Routing routing)
    {
        long count = _gateUp.shape[0], n = x.shape[0], k = routing.Experts.shape[1];
        var (source, slots, capacity) = Dispatch(routing.Experts, count);
        var input = x.index_select(0, source).view(count, capacity, -1); // (E, L, hidden)
        var hidden = Mlp.Gate(input.bmm(_gateUp.to(x.dtype).transpose(1, 2))); // (E, L, I)
        var output = hidden.bmm(_down.to(x.dtype).transpose(1, 2)).view(count * capacity, -1); // (E·L, hidden)
        var chosen = output.index_select(0, slots).view(n, k, -1); // (N, k, hidden)
        return (chosen * routing.Weights.to(x.dtype).unsqueeze(-1)).sum(1);
    }

    /// <summary>The same sum, one expert after the other with exactly its own tokens: what <see cref="forward"/> is tested against.</summary>
    public Tensor ForwardNaive(Tensor x, Routing routing)
    {
        var y = zeros_like(x);
        for (long e = 0; e < _gateUp.shape[0]; e++)
        {
            var hits = routing.Experts.eq(e); // (N, k)
            var weight = (routing.Weights * hits.to(routing.Weights.dtype)).sum(-1).to(x.dtype); // (N)
            var tokens = hits.any(-1).nonzero().flatten(); // (n_e)
            if (tokens.shape[0] == 0)
            {
                continue;
            }
            var gateUp = nn.functional.linear(x.index_select(0, tokens), _gateUp.select(0, e).to(x.dtype));
            var output = nn.functional.linear(Mlp.Gate(gateUp), _down.select(0, e).to(x.dtype));
            y = y.index_add(0, tokens, output * weight.index_select(0, tokens).unsqueeze(-1), 1);
        }
        return y;
    }

    // Rows [A, in] of expert after expert, loads[e] of them each, times weights [E, out, in]: [A, out].
    private static Tensor Grouped(Tensor rows, Tensor weights, long[] loads)
    {
        var inputs = rows.split(loads, 0);
        var matrices = weights.transpose(1, 2).unbind(0);
        return cat([.. inputs.Select((input, e) => input.mm(matrices[e]))], 0);
    }

    // Where things go in a table of E rows of `capacity` slots. Source (E·capacity): the token in each slot. A spare slot holds
    // token 0, whose result nobody reads. Slots (N·k): the slot of each token's each expert.
    private static (Tensor Source, Tensor Slots, long Capacity) Dispatch(Tensor experts, long count)
    {
        using var _ = no_grad();
        long assignments = experts.numel(), k = experts.shape[1];
        var (sorted, order) = experts.flatten().sort(stable: true);
        var load = sorted.bincount(null, count); // (E)
        long capacity = load.max().item<long>();
        var first = load.cumsum(0) - load; // (E), index of each expert's first assignment in the sorted list
        var slot = arange(assignments, dtype: ScalarType.Int64, device: experts.device) - first.index_select(0, sorted) + sorted * capacity;
        var source = zeros(count * capacity, ScalarType.Int64, experts.device).scatter_(0, slot, order.div(k, RoundingMode.floor));
        var slots = empty(assignments, ScalarType.Int64, experts.device).scatter_(0, order, slot);
        return (source, slots, capacity);
    }
}
