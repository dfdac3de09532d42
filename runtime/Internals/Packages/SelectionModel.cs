using LatentMoE.Runtime.Internals.Sessions;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

/// <summary>
/// The graph that chooses tokens where the logits are: the operator SelectToken, and a copy of the chosen ids for the host.
/// </summary>
internal static class SelectionModel
{
    public const string Logits = "logits", Temperature = "temperature", TopK = "top_k", TopP = "top_p", MinP = "min_p", Uniform = "uniform";
    public const string Positions = "positions", Token = "token", NextPositions = "next_positions", Copy = "token_copy";

    // Field numbers of ModelProto, OperatorSetIdProto, GraphProto, NodeProto, ValueInfoProto, TypeProto, TensorShapeProto.
    private const int ModelIrVersion = 1, ModelGraph = 7, ModelOpset = 8, OpsetDomain = 1, OpsetVersion = 2;
    private const int GraphNode = 1, GraphName = 2, GraphInput = 11, GraphOutput = 12;
    private const int NodeInput = 1, NodeOutput = 2, NodeName = 3, NodeType = 4, NodeDomain = 7;
    private const int ValueName = 1, ValueType = 2, TypeTensor = 1, TensorElement = 1, TensorShape = 2, ShapeDimension = 1, DimensionName = 2;
    private const int IrVersion = 8, Opset = 18;

    /// <param name="logits">Float, Float16 or BFloat16.</param>
    public static byte[] Write(TensorElementType logits)
    {
        string[] inputs = [Logits, Temperature, TopK, TopP, MinP, Uniform, Positions];
        var graph = new OnnxMessage()
            .Add(GraphNode, Node("SelectToken", OperatorLibrary.Domain, inputs, [Token, NextPositions]))
            .Add(GraphNode, Node("Identity", "", [Token], [Copy]))
            .Add(GraphName, "selection")
            .Add(GraphInput, Value(Logits, logits, "batch", "vocabulary"));
        foreach (string name in (string[])[Temperature, TopP, MinP, Uniform])
        {
            graph.Add(GraphInput, Value(name, TensorElementType.Float, "batch"));
        }
        graph.Add(GraphInput, Value(TopK, TensorElementType.Int32, "batch")).Add(GraphInput, Value(Positions, TensorElementType.Int64, "batch", "one"));
        foreach (string name in (string[])[Token, NextPositions, Copy])
        {
            graph.Add(GraphOutput, Value(name, TensorElementType.Int64, "batch", "one"));
        }
        return new OnnxMessage()
            .Add(ModelIrVersion, IrVersion)
            .Add(ModelGraph, graph)
            .Add(ModelOpset, new OnnxMessage().Add(OpsetDomain, "").Add(OpsetVersion, Opset))
            .Add(ModelOpset, new OnnxMessage().Add(OpsetDomain, OperatorLibrary.Domain).Add(OpsetVersion, OperatorLibrary.DomainVersion))
            .ToArray();
    }

    private static OnnxMessage Node(string type, string domain, string[] inputs, string[] outputs)
    {
        var node = new OnnxMessage();
        foreach (string name in inputs)
        {
            node.Add(NodeInput, name);
        }
        foreach (string name in outputs)
        {
            node.Add(NodeOutput, name);
        }
        return node.Add(NodeName, type).Add(NodeType, type).Add(NodeDomain, domain);
    }

    // The element types of TensorProto are numbered as ONNX Runtime's are.
    private static OnnxMessage Value(string name, TensorElementType type, params string[] axes)
    {
        var shape = new OnnxMessage();
        foreach (string axis in axes)
        {
            shape.Add(ShapeDimension, new OnnxMessage().Add(DimensionName, axis));
        }
        var tensor = new OnnxMessage().Add(TensorElement, (long)type).Add(TensorShape, shape);
        return new OnnxMessage().Add(ValueName, name).Add(ValueType, new OnnxMessage().Add(TypeTensor, tensor));
    }
}
