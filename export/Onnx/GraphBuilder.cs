namespace LatentMoE.Export.Onnx;

/// <summary>A model in the making: its graph, the functions that its nodes call, and its weights, which go to the data file.</summary>
internal sealed class GraphBuilder : NodeList
{
    private readonly ModelProto model;

    public GraphBuilder(string name) : this(new ModelProto { Graph = new GraphProto { Name = name } })
    {
    }

    private GraphBuilder(ModelProto model) : base(model.Graph.Node) => this.model = model;

    /// <summary>The weights, in the order in which they were named.</summary>
    public ExternalData Data { get; } = new();

    public string Input(string name, TensorProto.Types.DataType type, params object[] extents)
    {
        model.Graph.Input.Add(new ValueInfoProto { Name = name, Type = Tensors.Type(type, extents) });
        return name;
    }

    /// <summary>An input that callers may leave out.</summary>
    public string OptionalInput(string name, long fallback)
    {
        Input(name, TensorProto.Types.DataType.Int64);
        TensorProto initializer = Tensors.Of([fallback], scalar: true);
        initializer.Name = name;
        model.Graph.Initializer.Add(initializer);
        return name;
    }

    public void Output(string name, TensorProto.Types.DataType type, params object[]? extents) =>
        model.Graph.Output.Add(new ValueInfoProto { Name = name, Type = Tensors.Type(type, extents) });

    /// <summary>A weight in the data file; naming one again gives the same tensor.</summary>
    public string Weight(string name, TensorProto.Types.DataType type, long[] shape, Action<Stream> write)
    {
        if (Data.Add(name, type, shape, write) is TensorProto initializer)
        {
            model.Graph.Initializer.Add(initializer);
        }
        return name;
    }

    /// <summary>Makes a function part of the model, once by name.</summary>
    public void Function(string name, Func<FunctionProto> body)
    {
        if (model.Functions.All(f => f.Name != name))
        {
            model.Functions.Add(body());
        }
    }

    /// <summary>The finished model, which imports exactly the operator sets that it uses.</summary>
    public ModelProto Build(string producer, string version)
    {
        model.IrVersion = Opset.Ir;
        model.ProducerName = producer;
        model.ProducerVersion = version;
        (string, long)[] versions = [("", Opset.Onnx), (Opset.LatentMoEDomain, Opset.LatentMoE), (Opset.MicrosoftDomain, Opset.Microsoft)];
        foreach (var (domain, opset) in versions)
        {
            if (model.Graph.Node.Any(n => n.Domain == domain))
            {
                model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = opset });
            }
        }
        return model;
    }
}
