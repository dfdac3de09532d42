using LatentMoE.Export.Onnx;

namespace LatentMoE.Export.Tests.Onnx;

public sealed class NodeListTests
{
    [Fact]
    public void Constants_OfASubgraph_TakeNoNameOfTheListsAround()
    {
        var graph = new GraphBuilder("g");
        string Branch(NodeList list) => list.Add(list.Cast(list.Ints(0), TensorProto.Types.DataType.Float), list.Float(1));
        string condition = graph.Equal(graph.Int(1), graph.Int(2));
        graph.If(condition, Branch, inner => inner.If(condition, Branch, Branch));
        // The outer list names the same constant after the subgraphs have.
        graph.Add(graph.Ints(0), graph.Ints(0));

        string[] names = [.. Outputs(graph.Build("test", "1").Graph)];

        Assert.Equal(names.Distinct(), names);
        Assert.Equal(4, names.Count(name => name.StartsWith("ints_0", StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Outputs(GraphProto graph) => graph.Node.SelectMany(node =>
        node.Output.Concat(node.Attribute.Where(a => a.G is not null).SelectMany(a => Outputs(a.G))));
}
