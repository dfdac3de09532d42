using Microsoft.ML.OnnxRuntime.Tensors;

namespace LatentMoE.Runtime.Internals.Packages;

internal sealed partial record OnnxGraph
{
    private const int ModelGraph = 7, GraphOutput = 12, ValueName = 1, ValueType = 2, TypeTensor = 1, TensorElement = 1;

    /// <summary>
    /// The bytes of a model whose graph gives further values as outputs, of any shape. They follow the file's own in a second graph
    /// message, which protobuf merges into the first.
    /// </summary>
    public static byte[] WithOutputs(string path, IEnumerable<(string Name, TensorElementType Type)> outputs)
    {
        var graph = new OnnxMessage();
        foreach (var (name, type) in outputs)
        {
            var tensor = new OnnxMessage().Add(TensorElement, (long)type);
            graph.Add(GraphOutput, new OnnxMessage().Add(ValueName, name).Add(ValueType, new OnnxMessage().Add(TypeTensor, tensor)));
        }
        return [.. File.ReadAllBytes(path), .. new OnnxMessage().Add(ModelGraph, graph).ToArray()];
    }
}
