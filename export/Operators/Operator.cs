using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Operators;

/// <summary>
/// An operator of the domain <c>latentmoe</c>. A node of it carries every attribute for a kernel; its body has the same values
/// built in and uses ai.onnx alone, because a body that refers to attributes fails shape inference on older runtimes.
/// So all nodes of one name in a model share their attributes.
/// </summary>
internal abstract class Operator
{
    public abstract string Name { get; }

    /// <summary>Formal names, in the contract's order.</summary>
    public abstract IReadOnlyList<string> Inputs { get; }

    public abstract IReadOnlyList<string> Outputs { get; }

    public virtual IReadOnlyList<AttributeProto> Attributes => [];

    /// <summary>Computes the outputs from the formal inputs.</summary>
    protected abstract string[] Body(NodeList f);

    public FunctionProto Function()
    {
        var builder = new FunctionBuilder(Opset.LatentMoEDomain, Name, Inputs, Attributes.Select(a => a.Name));
        return builder.Build(Outputs, Body(builder));
    }

    /// <summary>Appends a node, and the body if the model has none yet.</summary>
    public void Call(GraphBuilder graph, string[] inputs, string[] outputs)
    {
        if (inputs.Length != Inputs.Count || outputs.Length != Outputs.Count)
        {
            throw new ArgumentException($"{Name} takes {Inputs.Count} inputs and gives {Outputs.Count} outputs");
        }
        graph.Function(Name, Function);
        graph.Append(Opset.LatentMoEDomain, Name, inputs, outputs, Attributes.Select(a => a.Clone()));
    }
}
