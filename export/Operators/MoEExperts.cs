using LatentMoE.Checkpoints;
using LatentMoE.Export.Formats;
using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Export.Operators;

/// <summary>
/// The chosen experts' weighted sum, plus the shared experts: x [N, d], experts int32 [N, k], weights [N, k], gate_up [E, 2I, d]
/// (the gate's rows first), down [E, d, I], shared_gate_up [2Is, d], shared_down [d, Is] → y [N, d]. The last two inputs are
/// absent in a model without shared experts. Expert −1 is skipped. No expert counts for a token that did not choose it.
/// x and y are of the type of the activations, the weights float32. In MoEExpertsInt8 and MoEExpertsInt4, scales follow each matrix.
/// The body widens the matrices that it has gathered, never a stack.
/// </summary>
internal sealed class MoEExperts(ModelConfig config, WeightFormat? format = null, DataType activations = DataType.Float) : Operator
{
    /// <summary>Up to this many tokens, each token's matrices are gathered; beyond, the experts in use are visited one by one.</summary>
    public const int GatherUpTo = 2;

    private readonly WeightFormat format = format ?? WeightFormat.Float32;
    private readonly int hidden = config.MoeIntermediateSize, experts = config.NRoutedExperts;
    private readonly int shared = config.NSharedExperts * config.MoeIntermediateSize;

    public override string Name => "MoEExperts" + format.Suffix;

    public override IReadOnlyList<string> Inputs =>
        ["x", "experts", "weights", .. Matrices.SelectMany(format.Names)];

    public override IReadOnlyList<string> Outputs => ["y"];

    public override IReadOnlyList<AttributeProto> Attributes => format.Attributes;

    private string[] Matrices => shared > 0 ? ["gate_up", "down", "shared_gate_up", "shared_down"] : ["gate_up", "down"];

    protected override string[] Body(NodeList f)
    {
        string x = f.Widen("x", activations), index = f.Cast("experts", DataType.Int64);
        string few = f.LessOrEqual(f.Squeeze(f.Shape("x", 0, 1), 0), f.Int(GatherUpTo));
        string y = f.If(few, g => Gathered(g, x, index), g => ByExpert(g, x, index));
        if (shared > 0)
        {
            string[] gateUp = f.Split(f.MatMul(x, f.Transpose(Whole(f, "shared_gate_up"), 1, 0)), 1, shared, shared); // (N, Is)
            y = f.Add(y, f.MatMul(f.SwiGlu(gateUp[0], gateUp[1]), f.Transpose(Whole(f, "shared_down"), 1, 0)));
        }
        return [f.Narrow(y, activations)];
    }

    // Few tokens: the matrices of every (token, slot), all at once.
    private string Gathered(NodeList f, string x, string index)
    {
        string used = f.Unsqueeze(f.GreaterOrEqual(index, f.Int(0)), 2); // (N, k, 1)
        string chosen = f.Max(index, f.Int(0));
        string columns = f.Unsqueeze(x, 1, 3); // (N, 1, d, 1)
        string[] gateUp = f.Split(f.MatMul(Gather(f, "gate_up", chosen, 4), columns), 2, hidden, hidden); // (N, k, I, 1)
        string y = f.MatMul(Gather(f, "down", chosen, 4), f.SwiGlu(gateUp[0], gateUp[1])); // (N, k, d, 1)
        // An empty slot gathers expert 0 and is dropped here; a weight of zero would let that expert's NaN through.
        string parts = f.Where(used, f.Mul(f.Squeeze(y, 3), f.Unsqueeze("weights", 2)), f.Float(0)); // (N, k, d)
        return f.ReduceSum(parts, keep: false, 1);
    }

    // Many tokens: a loop over the experts that any token chose; each takes its tokens' rows and adds its part to theirs.
    private string ByExpert(NodeList f, string x, string index)
    {
        string flat = f.Reshape(f.Where(f.GreaterOrEqual(index, f.Int(0)), index, f.Int(experts)), -1, 1); // (N·k, 1)
        string none = f.Expand(f.Int(0), f.Ints(experts + 1)), one = f.Expand(f.Int(1), f.Shape(flat, 0, 1));
        string hit = f.Slice(f.ScatterND(none, flat, one), f.Ints(0), f.Ints(experts), 0); // (E)
        string visited = f.Reshape(f.NonZero(hit), -1);
        string zero = f.Mul(x, f.Float(0));
        return f.Loop(f.Squeeze(f.Shape(visited, 0, 1), 0), zero, (g, iteration, sum) =>
        {
            string expert = g.Gather(visited, iteration);
            string pairs = g.Transpose(g.NonZero(g.Equal(index, expert)), 1, 0); // (n, 2): token, slot
            string rows = g.Slice(pairs, g.Ints(0), g.Ints(1), 1); // (n, 1)
            string own = g.GatherND(x, rows); // (n, d)
            string[] gateUp = g.Split(g.MatMul(own, g.Transpose(Gather(g, "gate_up", expert, 2), 1, 0)), 1, hidden, hidden); // (n, I)
            string y = g.MatMul(g.SwiGlu(gateUp[0], gateUp[1]), g.Transpose(Gather(g, "down", expert, 2), 1, 0)); // (n, d)
            return g.ScatterND(sum, rows, g.Mul(y, g.Unsqueeze(g.GatherND("weights", pairs), 1)), add: true);
        });
    }

    private string Whole(NodeList f, string matrix) => format.Widen(f, format.Names(matrix), 2);

    private string Gather(NodeList f, string stack, string index, int rank) =>
        format.Widen(f, [.. format.Names(stack).Select(part => f.Gather(part, index))], rank);
}
