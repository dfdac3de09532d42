using Google.Protobuf.Collections;

namespace LatentMoE.Export.Onnx;

/// <summary>
/// Appends nodes and hands back the names of their outputs, so that a body reads like the formula it computes.
/// Names are unique over the list and every subgraph below it. Every list has constants of its own, once each: ONNX Runtime shares
/// equal constants of one number, and then equal nodes, between layers, but not those that a subgraph reads from outside.
/// </summary>
internal partial class NodeList
{
    private readonly RepeatedField<NodeProto> nodes;
    private readonly NodeList? outer;
    private readonly Dictionary<string, int> used = [];
    private readonly Dictionary<string, string> constants = [];

    public NodeList(RepeatedField<NodeProto> nodes, NodeList? outer = null) => (this.nodes, this.outer) = (nodes, outer);

    /// <summary>Put before the names that the list makes up.</summary>
    public string Scope { get; set; } = "";

    /// <summary>Appends a node with one output.</summary>
    public string Node(string op, string[] inputs, params AttributeProto[] attributes) => Nodes(op, 1, inputs, attributes)[0];

    /// <summary>Appends a node with several outputs.</summary>
    public string[] Nodes(string op, int outputs, string[] inputs, params AttributeProto[] attributes)
    {
        string name = Unique(op);
        string[] results = outputs == 1 ? [name] : [.. Enumerable.Range(0, outputs).Select(i => $"{name}.{i}")];
        Append("", op, inputs, results, attributes);
        return results;
    }

    /// <summary>Appends a node whose outputs have given names.</summary>
    public void Append(
        string domain, string op, IEnumerable<string> inputs, IEnumerable<string> outputs, IEnumerable<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = op };
        if (domain.Length > 0)
        {
            node.Domain = domain;
        }
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        node.Name = node.Output[0];
        nodes.Add(node);
    }

    /// <summary>An int64 scalar.</summary>
    public string Int(long value) => Constant($"int_{value}", () => Tensors.Of([value], scalar: true));

    /// <summary>An int64 vector.</summary>
    public string Ints(params long[] values) => Constant($"ints_{string.Join("_", values)}", () => Tensors.Of(values));

    /// <summary>A float32 scalar.</summary>
    public string Float(double value) => Constant($"float_{(float)value:R}", () => Tensors.Of([(float)value], scalar: true));

    /// <summary>A uint8 scalar.</summary>
    public string Byte(byte value) => Constant($"byte_{value}", () => Tensors.Of([value], scalar: true));

    /// <summary>A subgraph's node list: it sees this list's values and makes up no name of its own twice.</summary>
    protected NodeList Inner(GraphProto graph) => new(graph.Node, this) { Scope = Scope };

    protected string Unique(string op) => Reserve(Scope + op.ToLowerInvariant());

    // A name that neither the outermost list nor one below it has used.
    private string Reserve(string name)
    {
        if (outer is not null)
        {
            return outer.Reserve(name);
        }
        int count = used[name] = used.GetValueOrDefault(name) + 1;
        return count == 1 ? name : Reserve($"{name}_{count}");
    }

    private string Constant(string key, Func<TensorProto> value)
    {
        if (!constants.TryGetValue(key, out string? name))
        {
            name = Reserve((outer is null ? "" : Scope) + key.Replace('-', 'm'));
            Append("", "Constant", [], [name], [NodeAttribute.Tensor("value", value())]);
            constants.Add(key, name);
        }
        return name;
    }
}
