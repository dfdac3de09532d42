using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LatentMoE.Training.Model;

/// <summary>
/// All routed experts of a layer, SwiGLU each, as two stacked weights; no token is dropped. The rows of an expert are neighbours in
/// one table, so that a batched product serves many experts: all of them on a GPU, on a CPU those of about the same load
/// (<see cref="LoadGroups"/>), since a batch pads its experts to its largest load.
/// </summary>
public sealed class Experts : nn.Module<Tensor, Routing, Tensor>
{
    // Elements of padding that take as long as the calls of another batch: about a millisecond.
    private const int ElementsOfABatch = 500_000;

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

    /// <summary>Tokens [N, hidden] to the weighted sum of their experts, of the same shape and dtype.</summary>
    public override Tensor forward(Tensor x, Routing routing) =>
        Forward(x, routing, x.device_type == DeviceType.CPU ? (int)(ElementsOfABatch / (_down.shape[1] + 3 * _down.shape[2])) : int.MaxValue);

    /// <param name="rowsOfABatch">Rows of padding that another batch must save.</param>
    internal Tensor Forward(Tensor x, Routing routing, int rowsOfABatch)
    {
        var table = ExpertTable.Of(routing.Experts, _gateUp.shape[0], rowsOfABatch);
        long[] counts = [.. table.Groups.Select(group => (long)group.Count)], sizes = [.. table.Groups.Select(group => group.Count * group.Load)];
        var gateUp = Parts(table.Ordered(_gateUp.to(x.dtype)).transpose(1, 2), counts);
        var down = Parts(table.Ordered(_down.to(x.dtype)).transpose(1, 2), counts);
        var inputs = Parts(x.index_select(0, table.Source), sizes); // (R, hidden)
        var weights = Parts(zeros(sizes.Sum(), x.dtype, x.device).scatter(0, table.Slots, routing.Weights.to(x.dtype).flatten()), sizes); // (R), 0 in spare rows
        List<Tensor> outputs = [];
        foreach (var (i, group) in table.Groups.Index().Where(item => item.Item.Load > 0))
        {
            var hidden = Mlp.Gate(inputs[i].view(group.Count, group.Load, -1).bmm(gateUp[i])); // (e, L, I)
            hidden = hidden * weights[i].view(group.Count, group.Load, 1);
            outputs.Add(hidden.bmm(down[i]).view(sizes[i], -1));
        }
        return zeros_like(x).index_add(0, table.Source, outputs.Count == 1 ? outputs[0] : cat(outputs, 0), 1);
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

    private static Tensor[] Parts(Tensor whole, long[] sizes) => sizes.Length == 1 ? [whole] : whole.split(sizes, 0);
}
