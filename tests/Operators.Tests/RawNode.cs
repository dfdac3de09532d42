using Google.Protobuf;
using LatentMoE.Export.Onnx;
using Microsoft.ML.OnnxRuntime;
using static LatentMoE.Export.Onnx.TensorProto.Types;

namespace LatentMoE.Operators.Tests;

/// <summary>One node as a file may hold it, right or wrong, without a body: only the library can run it.</summary>
/// <param name="Inputs">In order; null is one that the node leaves out.</param>
internal sealed record RawNode(string Op, AttributeProto[] Attributes, (string Name, Tensor? Value)[] Inputs, (string Name, DataType Type)[] Outputs)
{
    public const string Name = "the node";

    /// <summary>The version of the domain that the model imports.</summary>
    public long Version { get; init; } = Opset.LatentMoE;

    /// <summary>Whether inputs are constants of the model, as weights of a package are, or fed.</summary>
    public bool Constants { get; init; }

    public Tensor this[string input] => Inputs.Single(i => i.Name == input).Value!;

    public RawNode With(string input, Tensor value) => Put(input, value);

    public RawNode WithoutInput(string input) => Put(input, null);

    /// <summary>An input of another shape, all zeros.</summary>
    public RawNode With(string input, params long[] shape) => With(input, RawNodes.Zeros(this[input].Type, shape));

    /// <summary>Replaces an attribute, or adds it.</summary>
    public RawNode With(AttributeProto attribute) => this with { Attributes = [.. Without(attribute.Name).Attributes, attribute] };

    public RawNode Without(string attribute) => this with { Attributes = [.. Attributes.Where(a => a.Name != attribute)] };

    private RawNode Put(string input, Tensor? value) => this with { Inputs = [.. Inputs.Select(i => i.Name == input ? (i.Name, value) : i)] };

    public byte[] Model()
    {
        var model = new ModelProto { IrVersion = Opset.Ir, Graph = new GraphProto { Name = "one" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset.Onnx });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = Opset.LatentMoEDomain, Version = Version });
        var node = new NodeProto { OpType = Op, Domain = Opset.LatentMoEDomain, Name = Name, Attribute = { Attributes.Select(a => a.Clone()) } };
        foreach (var (name, value) in Inputs)
        {
            node.Input.Add(value is null ? "" : name);
            if (value is not null && Constants)
            {
                var constant = new TensorProto { Name = name, DataType = (int)value.Type, RawData = ByteString.CopyFrom(value.Bytes) };
                constant.Dims.Add(value.Shape);
                model.Graph.Initializer.Add(constant);
            }
            else if (value is not null)
            {
                model.Graph.Input.Add(new ValueInfoProto { Name = name, Type = Tensors.Type(value.Type, null) });
            }
        }
        while (node.Input.Count > 0 && node.Input[^1].Length == 0)
        {
            node.Input.RemoveAt(node.Input.Count - 1);
        }
        foreach (var (name, type) in Outputs)
        {
            node.Output.Add(name);
            model.Graph.Output.Add(new ValueInfoProto { Name = name, Type = Tensors.Type(type, null) });
        }
        model.Graph.Node.Add(node);
        return model.ToByteArray();
    }

    /// <summary>Loads the node and runs it once.</summary>
    public Tensor[] Run(string? isa = null)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, IntraOpNumThreads = 2 };
        OperatorsLibrary.Register(options, isa);
        using var session = new InferenceSession(Model(), options);
        using var run = new RunOptions();
        var fed = Inputs.Where(i => i.Value is not null && !Constants).ToList();
        var values = fed.ConvertAll(i => i.Value!.ToValue());
        using var results = session.Run(run, [.. fed.Select(i => i.Name)], values, [.. Outputs.Select(o => o.Name)]);
        values.ForEach(value => value.Dispose());
        return [.. results.Select(Tensor.Read)];
    }
}
