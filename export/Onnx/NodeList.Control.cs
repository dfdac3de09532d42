namespace LatentMoE.Export.Onnx;

// Subgraphs: they read the values of the lists around them.
internal partial class NodeList
{
    private static readonly TypeProto Floats = Tensors.Type(TensorProto.Types.DataType.Float, null);

    /// <summary>One of two subgraphs, each of which computes one float tensor.</summary>
    public string If(string condition, Func<NodeList, string> then, Func<NodeList, string> otherwise)
    {
        GraphProto Branch(string name, Func<NodeList, string> build)
        {
            var graph = new GraphProto { Name = name };
            graph.Output.Add(new ValueInfoProto { Name = build(Inner(graph)), Type = Floats.Clone() });
            return graph;
        }
        GraphProto a = Branch("then", then), b = Branch("else", otherwise);
        return Node("If", [condition], NodeAttribute.Graph("then_branch", a), NodeAttribute.Graph("else_branch", b));
    }

    /// <summary>
    /// Runs <paramref name="body"/> (list, iteration, carried value → new value) <paramref name="trips"/> times on one float tensor.
    /// </summary>
    public string Loop(string trips, string initial, Func<NodeList, string, string, string> body)
    {
        var graph = new GraphProto { Name = "body" };
        string iteration = Unique("iteration"), condition = Unique("condition"), carried = Unique("carried");
        graph.Input.Add(new ValueInfoProto { Name = iteration, Type = Tensors.Type(TensorProto.Types.DataType.Int64) });
        graph.Input.Add(new ValueInfoProto { Name = condition, Type = Tensors.Type(TensorProto.Types.DataType.Bool) });
        graph.Input.Add(new ValueInfoProto { Name = carried, Type = Floats.Clone() });
        NodeList inner = Inner(graph);
        string result = body(inner, iteration, carried), next = inner.Node("Identity", [condition]);
        graph.Output.Add(new ValueInfoProto { Name = next, Type = Tensors.Type(TensorProto.Types.DataType.Bool) });
        graph.Output.Add(new ValueInfoProto { Name = result, Type = Floats.Clone() });
        return Node("Loop", [trips, "", initial], NodeAttribute.Graph("body", graph));
    }
}
