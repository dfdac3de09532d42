using LatentMoE.Export.Onnx;

namespace LatentMoE.Benchmarks.Models;

/// <summary>A graph whose routers' choices are outputs too.</summary>
internal sealed record ExpertOutputs(ModelProto Model, IReadOnlyList<(string Name, int TopK)> Routers)
{
    public static ExpertOutputs Of(ModelProto source)
    {
        var model = source.Clone();
        var routers = model.Graph.Node.Where(node => node.OpType == "MoERouter")
            .Select(node => (node.Output[0], (int)node.Attribute.Single(a => a.Name == "top_k").I)).ToList();
        foreach (var (name, topK) in routers)
        {
            var type = Tensors.Type(TensorProto.Types.DataType.Int32, "tokens", topK);
            model.Graph.Output.Add(new ValueInfoProto { Name = name, Type = type });
        }
        return new(model, routers);
    }
}
