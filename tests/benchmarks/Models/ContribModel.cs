using LatentMoE.Export.Onnx;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Benchmarks.Models;

/// <summary>
/// A package's graph with ONNX Runtime's own operators wherever there are any: MoE or QMoE for the experts, MatMul or MatMulNBits for
/// the linear layers. The weights stay in the package's file; what has another layout is turned by nodes on constants, which ONNX
/// Runtime folds once when it loads the graph. Latent attention has no such operator and keeps its body.
/// </summary>
internal sealed class ContribModel
{
    private const float Never = -1e30f;
    private const string Scope = "contrib/";
    private readonly ModelProto model;
    private readonly NodeList nodes;
    private readonly Dictionary<string, TensorProto> initializers;

    private ContribModel(ModelProto source)
    {
        model = source.Clone();
        model.Graph.Node.Clear();
        // Below another list, so that its constants get names of their own.
        nodes = new NodeList(model.Graph.Node, new NodeList([]) { Scope = Scope });
        initializers = model.Graph.Initializer.ToDictionary(tensor => tensor.Name);
        foreach (var node in source.Graph.Node)
        {
            Add(node);
        }
        if (model.OpsetImport.All(import => import.Domain != Opset.MicrosoftDomain))
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = Opset.MicrosoftDomain, Version = Opset.Microsoft });
        }
    }

    public static ModelProto Of(ModelProto source) => new ContribModel(source).model;

    private void Add(NodeProto node)
    {
        switch (node.OpType)
        {
            case "Linear":
                nodes.Append("", "MatMul", [node.Input[0], Transposed(node.Input[1])], node.Output, []);
                break;
            case "LinearInt8" or "LinearInt4":
                Rename(Product(node.Input[0], node.Input[1], node.Input[2], Block(node)), node.Output[0]);
                break;
            case "MoEExperts" or "MoEExpertsInt8" or "MoEExpertsInt4":
                AddExperts(node);
                break;
            default:
                model.Graph.Node.Add(node);
                break;
        }
    }

    private void AddExperts(NodeProto node)
    {
        string x = node.Input[0], chosen = node.Input[1], weights = node.Input[2];
        string[] operands = [.. node.Input.Skip(3).Where(name => name.Length > 0)];
        int routed = node.OpType == "MoEExperts" ? 2 : 4;
        // The operator chooses by softmax, ours need not: logarithms of the weights, of chosen experts only, make it choose those with
        // those weights, up to their sum.
        string total = nodes.ReduceSum(weights, keep: true, 1); // (N, 1)
        string mixed = nodes.Mul(Routed(node, x, Logarithms(chosen, weights, operands[0]), operands[..routed]), total);
        if (operands.Length > routed)
        {
            mixed = nodes.Add(mixed, Shared(x, operands[routed..], routed == 2 ? 0 : Block(node)));
        }
        Rename(mixed, node.Output[0]);
    }

    // (N, k) → (N, E)
    private string Logarithms(string chosen, string weights, string gateUp)
    {
        string rows = nodes.Shape(weights, 0, 1), shape = nodes.Concat(0, rows, nodes.Ints(initializers[gateUp].Dims[0]));
        string logs = nodes.Node("Log", [nodes.Max(weights, nodes.Float(1e-30))]);
        return nodes.Node("ScatterElements", [nodes.Expand(nodes.Float(Never), shape), nodes.Cast(chosen, DataType.Int64), logs],
            NodeAttribute.Int("axis", 1));
    }

    private string Routed(NodeProto node, string x, string router, string[] weights)
    {
        long k = TopK(node.Input[1]);
        List<AttributeProto> attributes =
        [
            NodeAttribute.Int("k", k),
            NodeAttribute.Flag("normalize_routing_weights", true),
            NodeAttribute.Text("activation_type", "swiglu"),
            NodeAttribute.Int("swiglu_fusion", 1),
            NodeAttribute.Float("activation_alpha", 1),
            NodeAttribute.Float("activation_beta", 0),
        ];
        string output = Scope + node.Output[0];
        if (weights.Length == 2)
        {
            string[] inputs = [x, router, Interleaved(weights[0]), "", weights[1], ""];
            nodes.Append(Opset.MicrosoftDomain, "MoE", inputs, [output], attributes);
            return output;
        }
        bool eightBits = node.OpType == "MoEExpertsInt8";
        attributes.Add(NodeAttribute.Int("expert_weight_bits", eightBits ? 8 : 4));
        attributes.Add(NodeAttribute.Int("block_size", Block(node)));
        string up = Interleaved(weights[0]), down = weights[2];
        string[] quantised =
        [
            x, router, eightBits ? Unsigned(up) : up, nodes.Cast(Interleaved(weights[1]), DataType.Float), "",
            eightBits ? Unsigned(down) : down, nodes.Cast(weights[3], DataType.Float), "",
        ];
        nodes.Append(Opset.MicrosoftDomain, "QMoE", quantised, [output], attributes);
        return output;
    }

    private string Shared(string x, string[] weights, long block)
    {
        bool quantised = weights.Length == 4;
        string both = quantised ? Product(x, weights[0], weights[1], block) : nodes.MatMul(x, Transposed(weights[0])); // (N, 2I)
        long hidden = initializers[weights[0]].Dims[0] / 2;
        string[] halves = nodes.Split(both, 1, hidden, hidden);
        string gated = nodes.Mul(nodes.Mul(halves[0], nodes.Sigmoid(halves[0])), halves[1]);
        return quantised ? Product(gated, weights[2], weights[3], block) : nodes.MatMul(gated, Transposed(weights[1]));
    }

    private string Product(string x, string weight, string scales, long block)
    {
        var dims = initializers[weight].Dims; // (out, in), or (out, in / 2) in int4
        bool eightBits = (DataType)initializers[weight].DataType == DataType.Int8;
        long rows = dims[0], width = eightBits ? dims[1] : 2 * dims[1], blocks = width / block;
        string packed = nodes.Reshape(eightBits ? Unsigned(weight) : weight, rows, blocks, eightBits ? block : block / 2);
        string output = $"{Scope}{x}/{weight}";
        string[] inputs = [x, packed, nodes.Reshape(nodes.Cast(scales, DataType.Float), rows * blocks)];
        nodes.Append(Opset.MicrosoftDomain, "MatMulNBits", inputs, [output],
        [
            NodeAttribute.Int("K", width),
            NodeAttribute.Int("N", rows),
            NodeAttribute.Int("bits", eightBits ? 8 : 4),
            NodeAttribute.Int("block_size", block),
        ]);
        return output;
    }

    // (E, 2I, ..), gate rows before up rows → gate and up rows by turns
    private string Interleaved(string gateUp)
    {
        var dims = initializers[gateUp].Dims;
        string halves = nodes.Reshape(gateUp, dims[0], 2, dims[1] / 2, dims[2]);
        return nodes.Reshape(nodes.Transpose(halves, 0, 2, 1, 3), dims[0], dims[1], dims[2]);
    }

    // A product with weights that are not float32 has to cast them.
    private string Transposed(string weight)
    {
        bool single = (DataType)initializers[weight].DataType == DataType.Float;
        return nodes.Transpose(single ? weight : nodes.Cast(weight, DataType.Float), 1, 0);
    }

    // −128..127 → 0..255, whose implied zero point is 128
    private string Unsigned(string weight) => nodes.Cast(nodes.Add(nodes.Cast(weight, DataType.Int32), Offset()), DataType.Uint8);

    private string Offset() => nodes.Cast(nodes.Int(128), DataType.Int32);

    private void Rename(string value, string output) => nodes.Append("", "Identity", [value], [output], []);

    private long TopK(string chosen) => Attribute(model.Graph.Node.Single(n => n.Output.Contains(chosen)), "top_k");

    private static long Block(NodeProto node) => Attribute(node, "block_size");

    private static long Attribute(NodeProto node, string name) => node.Attribute.Single(a => a.Name == name).I;
}
