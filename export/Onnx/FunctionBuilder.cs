namespace LatentMoE.Export.Onnx;

/// <summary>A model-local function: an operator's body in standard operators, without references to attributes.</summary>
internal sealed class FunctionBuilder : NodeList
{
    private readonly FunctionProto function;

    public FunctionBuilder(string domain, string name, IEnumerable<string> inputs, IEnumerable<string> attributes) : this(new()
    {
        Domain = domain, Name = name, Input = { inputs }, Attribute = { attributes },
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset.Onnx } },
    })
    {
    }

    private FunctionBuilder(FunctionProto function) : base(function.Node) => this.function = function;

    /// <summary>Ends the function: the values become its outputs, under the given names.</summary>
    public FunctionProto Build(IReadOnlyList<string> names, IReadOnlyList<string> values)
    {
        foreach (var (name, value) in names.Zip(values))
        {
            Rename(function.Node, value, name);
            function.Output.Add(name);
        }
        return function;
    }

    private static void Rename(IEnumerable<NodeProto> nodes, string from, string to)
    {
        foreach (var node in nodes)
        {
            Replace(node.Input);
            Replace(node.Output);
            foreach (var graph in node.Attribute.Where(a => a.G is not null).Select(a => a.G))
            {
                Rename(graph.Node, from, to);
            }
        }
        void Replace(Google.Protobuf.Collections.RepeatedField<string> list)
        {
            for (int i = 0; i < list.Count; i++)
            {
                list[i] = list[i] == from ? to : list[i];
            }
        }
    }
}
